"""A translator that starts with the words it will translate to, counted from word alignments.

With little text and time, most of what a translator has to learn is which word means which. Word alignments know
that already: the embedding of a source piece starts as the mean of the embeddings of the English pieces that it is
aligned with, so that attending to it is, up to a linear map, already naming its translation. A translator from
another language can be taken over in the same way, English and all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from canner.data.translation_pairs import PairExample
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.nn.multistep_attention import MultistepAttention
from canner.text.subwords import Subwords

_LAYER = re.compile(r"((encoder|decoder)\.(?:blocks|attentions)\.)(\d+)(\..*)")


def start_from_lexicon(model: ConvS2S, examples: Sequence[PairExample]) -> None:
    """Sets the source embeddings of a fresh translator from the piece links of its training pairs.

    Pieces without a link keep their random embedding. All embeddings keep the length that random ones have.

    Args:
        model: untrained; changed in place.
        examples: training pairs with links.
    """
    _embed_by_links(model, examples)
    with torch.no_grad():
        _open_path(model)


def start_from_translator(
    model: ConvS2S, parent: ConvS2S, examples: Sequence[PairExample], *, same_source: bool
) -> None:
    """Sets a fresh translator to the weights of another with the same target pieces.

    Where source pieces differ, their embeddings start as in `start_from_lexicon`: those of a translator that started
    so have stayed close to the English ones, and the parent's encoder can read them. Where the encoder or decoder is of
    another depth, each of its layers starts as a copy of the parent's layer at the same share of the depth (as Li et
    al. 2020 make an encoder deeper).

    Args:
        model: untrained; changed in place.
        parent: trained, of the same sizes but for the depths of encoder and decoder.
        examples: training pairs with links.
        same_source: whether the source pieces are the parent's too.
    """
    weights = _at_depth(parent.state_dict(), _depths(parent.config), _depths(model.config))
    if same_source:
        model.load_state_dict(weights)
        return
    theirs = weights.pop("encoder.tokens.weight")
    ours = model.encoder.tokens.weight
    model.load_state_dict(weights, strict=False)
    with torch.no_grad():
        ours.copy_(torch.nn.functional.normalize(ours, dim=1) * theirs.norm(dim=1).mean())
        _embed_by_links(model, examples)
        ours[: Subwords.num_special] = theirs[: Subwords.num_special]


def _depths(config: ConvS2SConfig) -> dict[str, int]:
    return {"encoder": config.encoder_layers, "decoder": config.decoder_layers}


def _at_depth(weights: dict[str, Tensor], parents: dict[str, int], ours: dict[str, int]) -> dict[str, Tensor]:
    """Weights for an encoder and decoder of other depths, each layer a copy."""
    found = {name: weight for name, weight in weights.items() if not _LAYER.match(name)}
    for name, weight in weights.items():
        if match := _LAYER.match(name):
            before, part, place, after = match.groups()
            for layer in range(ours[part]):
                if layer * parents[part] // ours[part] == int(place):
                    found[f"{before}{layer}{after}"] = weight
    return found


def _embed_by_links(model: ConvS2S, examples: Sequence[PairExample]) -> None:
    source, target = model.encoder.tokens.weight, model.decoder.output.weight
    pieces = [(e.source[s], e.target[t]) for e in examples for s, t in e.links]
    links = torch.tensor(pieces, dtype=torch.long).view(-1, 2)
    with torch.no_grad():
        pairs, counts = torch.unique(links.to(target.device), dim=0, return_counts=True)
        total = torch.zeros_like(source).index_add_(0, pairs[:, 0], target[pairs[:, 1]] * counts[:, None])
        linked = total.norm(dim=1) > 0
        length = source[linked].norm(dim=1, keepdim=True)
        source[linked] = total[linked] / total[linked].norm(dim=1, keepdim=True) * length


def _open_path(model: ConvS2S) -> None:
    """What the last attention reads goes to the output as it is: the two maps between start as inverses."""
    last = cast(MultistepAttention, model.decoder.attentions[-1])
    into_hidden = torch.nn.init.orthogonal_(torch.empty_like(last.output.weight))
    last.output.weight = into_hidden
    model.decoder.leave.weight = into_hidden.T.contiguous()

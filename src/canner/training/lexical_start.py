"""A translator that starts with the words it will translate to, counted from word alignments.

With little text and time, most of what a translator has to learn is which word means which. Word alignments know
that already: the embedding of a source piece starts as the mean of the embeddings of the English pieces that it is
aligned with, so that attending to it is, up to a linear map, already naming its translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch

from canner.data.translation_pairs import PairExample
from canner.models.convs2s import ConvS2S
from canner.nn.multistep_attention import MultistepAttention


def start_from_lexicon(model: ConvS2S, examples: Sequence[PairExample]) -> None:
    """Sets the source embeddings of a fresh translator from the piece links of its training pairs.

    Pieces without a link keep their random embedding. All embeddings keep the length that random ones have.

    Args:
        model: untrained; changed in place.
        examples: training pairs with links.
    """
    source, target = model.encoder.tokens.weight, model.decoder.output.weight
    pieces = [(e.source[s], e.target[t]) for e in examples for s, t in e.links]
    links = torch.tensor(pieces, dtype=torch.long).view(-1, 2)
    with torch.no_grad():
        pairs, counts = torch.unique(links.to(target.device), dim=0, return_counts=True)
        total = torch.zeros_like(source).index_add_(0, pairs[:, 0], target[pairs[:, 1]] * counts[:, None])
        linked = total.norm(dim=1) > 0
        length = source[linked].norm(dim=1, keepdim=True)
        source[linked] = total[linked] / total[linked].norm(dim=1, keepdim=True) * length
        _open_path(model)


def _open_path(model: ConvS2S) -> None:
    """What the last attention reads goes to the output as it is: the two maps between start as inverses."""
    last = cast(MultistepAttention, model.decoder.attentions[-1])
    into_hidden = torch.nn.init.orthogonal_(torch.empty_like(last.output.weight))
    last.output.weight = into_hidden
    model.decoder.leave.weight = into_hidden.T.contiguous()

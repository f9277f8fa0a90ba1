"""A translator that starts from word alignments names aligned words before it has learned anything."""

from __future__ import annotations

import pytest
import torch

from canner.data.translation_pairs import PairExample
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.subwords import Subwords
from canner.training.lexical_start import start_from_lexicon, start_from_translator

EXAMPLES = [
    PairExample([4, 5], [7, 8], [(0, 0), (1, 1)]),
    PairExample([4], [7], [(0, 0)]),
    PairExample([4, 6], [9, 8], [(0, 0)]),
]


def model(share: bool) -> ConvS2S:
    torch.manual_seed(0)
    config = ConvS2SConfig(
        embed_dim=32, hidden_dim=48, encoder_layers=1, decoder_layers=2, share_embeddings=share, dropout=0.0
    )
    return ConvS2S(config, num_source_pieces=10, num_target_pieces=12)


def test_a_source_piece_points_at_the_mean_of_what_it_is_aligned_with() -> None:
    for share in (True, False):
        fresh, started = model(share), model(share)
        start_from_lexicon(started, EXAMPLES)
        english = started.decoder.output.weight
        assert torch.equal(english, fresh.decoder.output.weight)
        wanted = (2 * english[7] + english[9]) / 3
        found, before = started.encoder.tokens.weight, fresh.encoder.tokens.weight
        assert torch.allclose(torch.cosine_similarity(found[4], wanted, dim=0), torch.tensor(1.0))
        assert torch.allclose(torch.cosine_similarity(found[5], english[8], dim=0), torch.tensor(1.0))
        assert torch.allclose(found.norm(dim=1), before.norm(dim=1))
        assert torch.equal(found[[0, 1, 2, 3, 6, 7, 8, 9]], before[[0, 1, 2, 3, 6, 7, 8, 9]])


def test_what_the_last_attention_reads_goes_to_the_output_unchanged() -> None:
    started = model(True)
    start_from_lexicon(started, EXAMPLES)
    last, leave = started.decoder.attentions[-1].output, started.decoder.leave
    read = torch.randn(5, 32)
    assert torch.allclose(leave.weight @ (last.weight @ read.T), read.T, atol=1e-5)
    # weight normalisation still holds the weights as length and direction
    assert {name for name, _ in last.named_parameters()} == {
        "bias",
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    }


def test_without_any_link_the_embeddings_stay_as_they_were() -> None:
    fresh, started = model(True), model(True)
    start_from_lexicon(started, [PairExample([4], [7], [])])
    assert torch.equal(started.encoder.tokens.weight, fresh.encoder.tokens.weight)


def big(num_source: int, layers: int = 2, encoder_layers: int = 1) -> ConvS2S:
    config = ConvS2SConfig(
        embed_dim=8,
        hidden_dim=8,
        encoder_layers=encoder_layers,
        decoder_layers=layers,
        share_embeddings=True,
    )
    return ConvS2S(config, num_source_pieces=num_source, num_target_pieces=40)


def test_from_the_same_language_every_weight_is_the_parents() -> None:
    parent, child = big(30), big(30)
    start_from_translator(child, parent, [], same_source=True)
    for name, weight in parent.state_dict().items():
        assert torch.equal(child.state_dict()[name], weight), name


def test_from_another_language_only_source_embeddings_are_new_and_are_english_ones() -> None:
    parent, child = big(30), big(35)
    links = [PairExample([25, 26], [30, 31], [(0, 0), (1, 1)])]
    start_from_translator(child, parent, links, same_source=False)
    before, after = parent.state_dict(), child.state_dict()
    source = after.pop("encoder.tokens.weight")
    theirs = before.pop("encoder.tokens.weight")
    assert all(torch.equal(after[name], before[name]) for name in before)
    special = Subwords.num_special
    assert special == 20
    assert torch.equal(source[:special], theirs[:special])
    english = after["decoder.output.weight"]
    for piece, word in ((25, 30), (26, 31)):
        alike = torch.cosine_similarity(source[piece], english[word], dim=0)
        assert torch.allclose(alike, torch.tensor(1.0), atol=1e-5)
    lengths = source[special:].norm(dim=1)
    assert torch.allclose(lengths, theirs.norm(dim=1).mean().expand_as(lengths), atol=1e-4)


def test_a_deeper_decoder_starts_with_copies_of_the_layers_in_their_order() -> None:
    parent, child = big(30), big(30, layers=5)
    start_from_translator(child, parent, [], same_source=True)
    for layer, origin in enumerate((0, 0, 0, 1, 1)):
        for ours, theirs in (
            (child.decoder.blocks[layer], parent.decoder.blocks[origin]),
            (child.decoder.attentions[layer], parent.decoder.attentions[origin]),
        ):
            for name, weight in theirs.state_dict().items():
                assert torch.equal(ours.state_dict()[name], weight), (layer, name)


@pytest.mark.parametrize(
    ("ours", "origins"), [(4, (0, 1, 2, 3)), (5, (0, 0, 1, 2, 3)), (3, (0, 1, 2)), (2, (0, 2))]
)
@pytest.mark.parametrize("same_source", [True, False])
def test_an_encoder_of_another_depth_starts_with_copies_of_the_layers_in_their_order(
    ours: int, origins: tuple[int, ...], same_source: bool
) -> None:
    parent, child = big(30, encoder_layers=4), big(30, encoder_layers=ours)
    start_from_translator(child, parent, [], same_source=same_source)
    for layer, origin in enumerate(origins):
        for name, weight in parent.encoder.blocks[origin].state_dict().items():
            assert torch.equal(child.encoder.blocks[layer].state_dict()[name], weight), (layer, name)
    for name, weight in parent.decoder.state_dict().items():
        assert torch.equal(child.decoder.state_dict()[name], weight), name

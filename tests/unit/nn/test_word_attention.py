"""Attention of several sentences as one, and the links that it gives."""

import pytest
import torch

from canner.nn.word_attention import join_attention, strongest_links


def test_no_sentence_looks_at_another() -> None:
    parts = [torch.rand(2, *shape) for shape in ((2, 3), (0, 0), (1, 0), (3, 1))]
    joined = join_attention(parts)
    expected = torch.zeros(2, 6, 4)
    expected[:, :2, :3], expected[:, 3:, 3:] = parts[0], parts[3]
    torch.testing.assert_close(joined, expected, rtol=0, atol=0)
    torch.testing.assert_close(join_attention(parts[:1]), parts[0], rtol=0, atol=0)
    assert join_attention([torch.zeros(2, 0, 0)]).shape == (2, 0, 0)


@pytest.mark.parametrize(
    ("at_least", "links"),
    [(None, [(0, 0), (1, 3)]), (0.25, [(0, 0), (2, 1)]), (0.2, [(0, 0), (1, 3), (2, 1)])],
)
def test_a_link_beats_eos_or_has_the_weight_that_is_asked_for(at_least, links) -> None:
    rows = [[0.7, 0.2, 0.0, 0.0], [0.0, 0.1, 0.4, 0.0], [0.1, 0.1, 0.1, 0.1], [0.2, 0.24, 0.22, 0.2]]
    assert strongest_links(torch.tensor(rows), at_least=at_least) == links


def test_nothing_has_no_links() -> None:
    for shape in ((0, 0), (0, 2), (2, 0)):
        assert strongest_links(torch.zeros(shape)) == []

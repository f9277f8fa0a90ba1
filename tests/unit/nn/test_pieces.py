"""Words from the states of their pieces."""

import torch

from canner.nn.pieces import PieceBatch, mean_of_pieces


def batch(words: list[list[list[int]]]) -> PieceBatch:
    """PieceBatch of which only the words matter, given as the places of their pieces."""
    places = [place for sentence in words for word in sentence for place in word]
    lengths = torch.tensor([[len(word) for word in sentence] for sentence in words])
    ends = lengths.flatten().cumsum(0).view_as(lengths)
    nothing = torch.zeros(1, 1, dtype=torch.long)
    return PieceBatch(nothing, nothing.bool(), torch.tensor(places), ends - lengths)


def test_a_word_is_the_mean_of_its_pieces_whichever_rows_they_stand_in():
    states = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    words = [[[1, 2, 3], [], [12]], [[6], [8, 7], [6, 14]]]  # counted through the rows
    found = mean_of_pieces(states, batch(words))
    assert found.shape == (2, 3, 4)
    for sentence, of_sentence in enumerate(words):
        for word, places in enumerate(of_sentence):
            rows = [states[place // 5, place % 5] for place in places]
            expected = torch.stack(rows).mean(0) if rows else torch.zeros(4)
            assert torch.allclose(found[sentence, word], expected, atol=1e-6)


def test_states_that_no_word_asks_for_get_no_gradient_even_if_they_are_not_numbers():
    states = torch.ones(1, 4, 2)
    states[0, 0] = torch.nan
    states.requires_grad_()
    mean_of_pieces(states, batch([[[1, 2], []]])).sum().backward()
    assert states.grad is not None
    assert states.grad[0].tolist() == [[0.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.0, 0.0]]


def test_all_of_a_batch_goes_to_another_device():
    moved = batch([[[0]]]).to("meta")
    devices = {tensor.device.type for tensor in (moved.ids, moved.mask, moved.of_words, moved.starts)}
    assert devices == {"meta"}

"""Words from the states of their pieces."""

import torch

from canner.nn.pieces import Pieces, mean_of_pieces


def test_a_word_is_the_mean_of_its_pieces_whichever_rows_they_stand_in():
    states = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    pieces = [[[1, 2, 3], [], [12]], [[6], [8, 7], [6, 14]]]  # counted through the rows
    padded = [[word + [-1] * (3 - len(word)) for word in sentence] for sentence in pieces]
    found = mean_of_pieces(states, torch.tensor(padded))
    assert found.shape == (2, 3, 4)
    for sentence, words in enumerate(pieces):
        for word, places in enumerate(words):
            rows = [states[place // 5, place % 5] for place in places]
            expected = torch.stack(rows).mean(0) if rows else torch.zeros(4)
            assert torch.allclose(found[sentence, word], expected, atol=1e-6)


def test_states_that_no_word_asks_for_get_no_gradient_even_if_they_are_not_numbers():
    states = torch.ones(1, 3, 2)
    states[0, 0] = torch.nan  # place 0, which stands for "none" once it is clamped
    states.requires_grad_()
    mean_of_pieces(states, torch.tensor([[[1, -1], [-1, -1]]])).sum().backward()
    assert states.grad is not None
    assert states.grad[0].tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]


def test_all_of_a_batch_goes_to_another_device():
    batch = Pieces(
        torch.zeros(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 1, 1)
    )
    moved = batch.to("meta")
    assert {tensor.device.type for tensor in (moved.ids, moved.mask, moved.of_words)} == {"meta"}

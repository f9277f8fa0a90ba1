import math

import pytest
import torch

from canner.models.char_lm import BidirectionalCharLM, CharLM, CharLMConfig

CONFIG = CharLMConfig(embedding_dim=5, hidden_dim=7)


def make_lm(seed: int = 0) -> CharLM:
    torch.manual_seed(seed)
    return CharLM(CONFIG, num_chars=11).eval()


def lstm_by_hand(lm: CharLM, ids: list[int]) -> list[torch.Tensor]:
    """The states after each character, from the textbook's equations."""
    hidden, cell = torch.zeros(7), torch.zeros(7)
    states = []
    for char in ids:
        x = lm.embedding.weight[char]
        gates = (
            lm.lstm.weight_ih_l0 @ x + lm.lstm.bias_ih_l0 + lm.lstm.weight_hh_l0 @ hidden + lm.lstm.bias_hh_l0
        )
        i, f, g, o = gates.chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        states.append(hidden)
    return states


def test_hidden_is_the_lstm_of_the_textbook() -> None:
    lm = make_lm()
    ids = [3, 1, 4, 1, 5, 9, 2]
    hidden, _ = lm.hidden(torch.tensor([ids]))
    torch.testing.assert_close(hidden[0], torch.stack(lstm_by_hand(lm, ids)))


def test_loss_is_the_mean_negative_log_probability_of_the_following_characters() -> None:
    lm = make_lm()
    ids = [3, 1, 4, 1, 5]
    expected = 0.0
    for state, following in zip(lstm_by_hand(lm, ids[:-1]), ids[1:], strict=True):
        log_probabilities = (lm.output.weight @ state + lm.output.bias).log_softmax(0)
        expected -= log_probabilities[following].item() / (len(ids) - 1)
    loss, _ = lm.loss(torch.tensor([ids]))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_reading_in_pieces_with_the_state_carried_is_reading_at_once() -> None:
    lm = make_lm()
    ids = torch.randint(11, (3, 20))
    whole, _ = lm(ids)
    first, state = lm(ids[:, :8])
    second, _ = lm(ids[:, 8:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)


def test_a_character_changes_no_earlier_prediction() -> None:
    lm = make_lm()
    ids = torch.randint(11, (1, 12))
    changed = ids.clone()
    changed[0, 6] = (changed[0, 6] + 1) % 11
    before, after = lm(ids)[0], lm(changed)[0]
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6], after[:, 6])


def test_a_fresh_model_knows_nothing() -> None:
    torch.manual_seed(0)
    lm = CharLM(CharLMConfig(embedding_dim=8, hidden_dim=64), num_chars=50)
    loss, _ = lm.loss(torch.randint(50, (8, 100)))
    assert loss.item() == pytest.approx(math.log(50), abs=0.1)


def test_word_features_are_the_states_at_the_inner_edges_of_the_words() -> None:
    torch.manual_seed(0)
    model = BidirectionalCharLM(CONFIG, num_chars=11).eval()
    ids = [1, 2, 3, 4, 5, 6, 1]  # words at 1…2 and 4…5, a space at 3, line breaks at 0 and 6
    forward, backward = lstm_by_hand(model.forward_lm, ids), lstm_by_hand(model.backward_lm, ids[::-1])
    features = model.word_features(
        torch.tensor([ids]), torch.tensor([ids[::-1]]), torch.tensor([[2, 5]]), torch.tensor([[5, 2]])
    )
    assert model.features_dim == 14
    torch.testing.assert_close(features[0, 0], torch.cat([forward[2], backward[5]]))
    torch.testing.assert_close(features[0, 1], torch.cat([forward[5], backward[2]]))


def test_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'hidden_dim'"):
        CharLMConfig(hiden_dim=3)  # type: ignore[call-arg]

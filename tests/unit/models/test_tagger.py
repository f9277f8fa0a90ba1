"""The tagger: padding never changes a result, each equation by hand, and it learns."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from canner.models.tagger import TaggerConfig, TaggerInputs, TaggerModel, TaggerSizes
from canner.nn.bilstm import BiLSTM
from canner.nn.masking import lengths_to_mask

SIZES = TaggerSizes(num_words=30, num_chars=12, features_dim=5, aligned_dim=6, num_tags=4)
NO_CONSTRAINTS = ([True] * 4, [True] * 4, [[True] * 4] * 4)
SMALL: dict[str, Any] = {"word_dim": 6, "char_dim": 4, "char_channels": 6, "hidden_dim": 7}


def make_model(sizes: TaggerSizes = SIZES, **options: Any) -> TaggerModel:
    torch.manual_seed(0)
    return TaggerModel(TaggerConfig(**{**SMALL, **options}), sizes, constraints=NO_CONSTRAINTS).eval()


def make_inputs(lengths: list[int], *, width: int, garbage: bool = False) -> TaggerInputs:
    """Sentence by sentence from a seed of its own, so that it is the same in any batch."""
    batch = len(lengths)
    words = torch.full((batch, width), 29 if garbage else 0)
    chars = torch.full((batch, width, 8 if garbage else 5), 11 if garbage else 0)
    features = torch.full((batch, width, 5), torch.nan if garbage else 0.0)
    aligned = torch.full((batch, width, 6), torch.nan if garbage else 0.0)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(length)
        words[row, :length] = torch.randint(1, 30, (length,), generator=generator)
        letters = torch.randint(1, 12, (length, 5), generator=generator)
        ends = torch.randint(1, 6, (length, 1), generator=generator)
        chars[row, :length] = 0
        chars[row, :length, :5] = torch.where(torch.arange(5) < ends, letters, 0)
        features[row, :length] = torch.randn(length, 5, generator=generator)
        aligned[row, :length] = torch.randn(length, 6, generator=generator)
    return TaggerInputs(lengths_to_mask(torch.tensor(lengths), width), words, chars, features, aligned)


@pytest.mark.parametrize("char_encoder", ["none", "cnn", "lstm"])
@pytest.mark.parametrize("aligned_at", ["output", "input", "both"])
@pytest.mark.parametrize("emissions", ["softmax", "log_softmax", "logits"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_padding_never_changes_a_result(
    char_encoder: str, aligned_at: str, emissions: str, num_layers: int
) -> None:
    projection = 3 if num_layers == 2 else None
    model = make_model(
        char_encoder=char_encoder,
        aligned_at=aligned_at,
        emissions=emissions,
        num_layers=num_layers,
        aligned_projection_dim=projection,
    )
    lengths = [4, 1, 7, 0]
    batch = make_inputs(lengths, width=9, garbage=True)
    together = model.encode(batch), model.emissions(batch), model.marginals(batch)
    decoded = model.decode(batch)
    for row, length in enumerate(lengths):
        single = make_inputs([length], width=length)
        alone = model.encode(single), model.emissions(single), model.marginals(single)
        for batched, separate in zip(together, alone, strict=True):
            torch.testing.assert_close(batched[row, :length], separate[0], rtol=1e-5, atol=1e-6)
        assert decoded[row] == model.decode(single)[0]
        assert len(decoded[row]) == length


def test_padding_never_changes_a_gradient() -> None:
    """What stands at padding, not even nan, reaches a weight."""
    gradients = []
    for width, garbage in ((7, False), (9, True)):
        model = make_model()
        inputs = make_inputs([4, 1, 7], width=width, garbage=garbage)
        tags = torch.where(inputs.mask, 2, 0)
        model.loss(inputs, tags).backward()
        gradients.append({name: values.grad for name, values in model.named_parameters()})
    for name, expected in gradients[0].items():
        assert expected is not None
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-4, atol=1e-6, msg=name)


def test_bilstm_equals_packed_sequences() -> None:
    torch.manual_seed(1)
    ours = BiLSTM(5, hidden_dim=4, num_layers=2, dropout=0.0, locked=False)
    packed = torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True, batch_first=True)
    for layer, (ahead, back) in enumerate(zip(ours.forward_layers, ours.backward_layers, strict=True)):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            packed.get_parameter(f"{name}_l{layer}").data = ahead.get_parameter(f"{name}_l0").data
            packed.get_parameter(f"{name}_l{layer}_reverse").data = back.get_parameter(f"{name}_l0").data
    lengths = torch.tensor([6, 2, 3])
    inputs = torch.randn(3, 6, 5)
    sequence = torch.nn.utils.rnn.pack_padded_sequence(
        inputs, lengths, batch_first=True, enforce_sorted=False
    )
    expected = torch.nn.utils.rnn.pad_packed_sequence(packed(sequence)[0], batch_first=True)[0]
    torch.testing.assert_close(ours(inputs, lengths_to_mask(lengths)), expected)


def test_one_step_of_the_lstm_by_hand() -> None:
    """Eq. 9 written out: the gates of the first token."""
    ours = BiLSTM(3, hidden_dim=2, num_layers=1, dropout=0.0, locked=False)
    inputs, cell = torch.randn(1, 1, 3), ours.forward_layers[0]
    gates = cell.get_parameter("weight_ih_l0") @ inputs[0, 0] + cell.get_parameter("bias_ih_l0")
    entry, _forget, update, leave = (gates + cell.get_parameter("bias_hh_l0")).view(4, 2)
    expected = leave.sigmoid() * (entry.sigmoid() * update.tanh()).tanh()
    torch.testing.assert_close(ours(inputs, torch.ones(1, 1, dtype=torch.bool))[0, 0, :2], expected)


def test_emissions_are_equations_11_and_12_on_the_states() -> None:
    inputs = make_inputs([4, 2], width=4)
    model = make_model(emissions="softmax")
    joined = torch.cat([model.encode(inputs), inputs.aligned_features], dim=2)  # type: ignore[list-item]
    logits = joined @ model.output.weight.t() + model.output.bias
    torch.testing.assert_close(model.emissions(inputs), logits.exp() / logits.exp().sum(2, keepdim=True))
    torch.testing.assert_close(make_model(emissions="logits").emissions(inputs), logits)
    torch.testing.assert_close(make_model(emissions="log_softmax").emissions(inputs), logits.log_softmax(2))


def test_loss_is_the_mean_negative_log_probability() -> None:
    """The probabilities of all tag sequences of a sentence sum to 1, and the loss is minus their logarithm."""
    model, inputs = make_model(), make_inputs([3], width=3)
    losses = [model.loss(inputs, torch.tensor([tags])) for tags in itertools.product(range(4), repeat=3)]
    torch.testing.assert_close(torch.stack(losses).neg().exp().sum(), torch.tensor(1.0))
    two, tags = make_inputs([3, 2], width=3), torch.tensor([[0, 1, 2], [3, 3, 0]])
    other = model.loss(make_inputs([2], width=2), tags[1:, :2])
    torch.testing.assert_close(model.loss(two, tags), (model.loss(inputs, tags[:1]) + other) / 2)


def test_confidence_of_decoded_tags_is_that_of_the_marginals() -> None:
    model, inputs = make_model(), make_inputs([5, 3], width=5)
    prediction = model.predict(inputs)
    spans = torch.tensor([[0, 2, 3], [1, 0, 1]])
    tags = torch.stack([prediction.tag_ids[0, 2:3], prediction.tag_ids[1, 0:1]])
    found = model.crf.span_probability(prediction.emissions, inputs.mask, spans, tags)
    marginals = model.marginals(inputs)
    torch.testing.assert_close(found, torch.stack([marginals[0, 2, tags[0, 0]], marginals[1, 0, tags[1, 0]]]))


def test_without_aligned_features_it_is_the_plain_tagger() -> None:
    sizes = TaggerSizes(num_words=30, num_chars=12, features_dim=0, aligned_dim=0, num_tags=4)
    model = make_model(sizes)
    inputs = make_inputs([3], width=3)
    plain = TaggerInputs(inputs.mask, inputs.word_ids, inputs.char_ids)
    assert model.output.in_features == 14
    assert len(model.decode(plain)[0]) == 3
    with pytest.raises(ValueError, match="expected features of width 0"):
        model.decode(inputs)


def test_features_alone_are_enough() -> None:
    sizes = TaggerSizes(num_words=0, num_chars=0, features_dim=0, aligned_dim=6, num_tags=4)
    inputs = make_inputs([3, 1], width=3)
    only = TaggerInputs(inputs.mask, aligned_features=inputs.aligned_features)
    model = make_model(sizes, word_dim=0, char_encoder="none", aligned_at="input")
    assert [len(row) for row in model.decode(only)] == [3, 1]


@pytest.mark.parametrize("frozen", [False, True])
def test_word_vectors_start_as_given_and_may_be_frozen(frozen: bool) -> None:
    vectors = torch.randn(30, 6)
    config = TaggerConfig(**SMALL, freeze_words=frozen, constrain=False)
    model = TaggerModel(config, SIZES, word_vectors=vectors)
    assert model.word_embedding is not None
    assert model.word_embedding.weight[1:].equal(vectors[1:])
    assert model.word_embedding.weight[0].abs().sum() == 0
    assert model.word_embedding.weight.requires_grad is not frozen
    inputs = make_inputs([3], width=3)
    model.loss(inputs, torch.zeros(1, 3, dtype=torch.long)).backward()
    assert (model.word_embedding.weight.grad is None) == frozen


def test_every_weight_learns_and_dropout_only_acts_in_training() -> None:
    options = {
        "word_dropout": 0.5,
        "dropout_tokens": 0.5,
        "locked": True,
        "num_layers": 2,
        "char_encoder": "lstm",
    }
    model, inputs = make_model(**options), make_inputs([6, 4], width=6)
    assert model.emissions(inputs).equal(model.emissions(inputs))
    model.train()
    assert not model.emissions(inputs).equal(model.emissions(inputs))
    sum(model.loss(inputs, torch.randint(0, 4, (2, 6))) for _ in range(5)).backward()  # type: ignore[union-attr]
    assert [name for name, values in model.named_parameters() if not values.grad.abs().sum()] == []  # type: ignore[union-attr]


def test_constraints_hold_in_what_is_decoded() -> None:
    """Tags that may only follow themselves: whole sentences of one tag."""
    same = [[a == b for b in range(4)] for a in range(4)]
    model = TaggerModel(TaggerConfig(**SMALL), SIZES, constraints=([True] * 4, [True] * 4, same))
    for row in model.decode(make_inputs([6, 3, 5], width=6)):
        assert len(set(row)) == 1


def test_it_learns_what_only_the_aligned_features_tell() -> None:
    """Tags are random, but one aligned feature gives each away; without it the tagger cannot know them."""
    scores = {}
    for aligned_dim in (0, 6):
        sizes = TaggerSizes(num_words=30, num_chars=12, features_dim=0, aligned_dim=aligned_dim, num_tags=4)
        model = make_model(sizes).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
        for step in range(30):
            inputs, tags = _telling_batch(seed=step, with_aligned=bool(aligned_dim))
            optimizer.zero_grad()
            model.loss(inputs, tags).backward()
            optimizer.step()
        inputs, tags = _telling_batch(seed=1000, with_aligned=bool(aligned_dim))
        scores[aligned_dim] = (torch.tensor(model.eval().decode(inputs)) == tags).float().mean().item()
    assert scores[6] > 0.95
    assert scores[0] < 0.5


def _telling_batch(*, seed: int, with_aligned: bool) -> tuple[TaggerInputs, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tags = torch.randint(0, 4, (16, 8), generator=generator)
    aligned = torch.randn(16, 8, 6, generator=generator) * 0.3
    aligned[..., :4] += torch.nn.functional.one_hot(tags, 4) * 2.0
    words = torch.randint(2, 30, (16, 8), generator=generator)
    chars = torch.randint(1, 12, (16, 8, 5), generator=generator)
    mask = torch.ones(16, 8, dtype=torch.bool)
    return TaggerInputs(mask, words, chars, None, aligned if with_aligned else None), tags


def test_errors_say_what_was_expected() -> None:
    inputs = make_inputs([2], width=2)
    with pytest.raises(ValueError, match="expected constraints for constrain=True"):
        TaggerModel(TaggerConfig(**SMALL), SIZES)
    with pytest.raises(ValueError, match=r"expected word vectors \[30 6\], got \(30, 5\)"):
        TaggerModel(TaggerConfig(**SMALL, constrain=False), SIZES, word_vectors=torch.zeros(30, 5))
    with pytest.raises(ValueError, match="at least one kind of input"):
        make_model(TaggerSizes(0, 0, 0, 6, 4), word_dim=0, char_encoder="none")
    with pytest.raises(ValueError, match="expected a word vocabulary"):
        make_model(TaggerSizes(0, 12, 5, 6, 4))
    with pytest.raises(ValueError, match="expected a character vocabulary"):
        make_model(TaggerSizes(30, 0, 5, 6, 4))
    with pytest.raises(ValueError, match="expected aligned_features of width 6"):
        make_model().decode(TaggerInputs(inputs.mask, inputs.word_ids, inputs.char_ids, inputs.features))
    with pytest.raises(ValueError, match="expected word_ids, got None"):
        make_model().decode(TaggerInputs(inputs.mask))
    with pytest.raises(ValueError, match="did you mean 'hidden_dim'"):
        TaggerConfig(hiden_dim=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="even char_channels"):
        TaggerConfig(char_encoder="lstm", char_channels=5)


def test_inputs_move_between_devices() -> None:
    moved = make_inputs([2], width=2).to("meta")
    assert moved.mask.device.type == "meta"
    assert moved.aligned_features is not None
    assert moved.aligned_features.device.type == "meta"
    assert TaggerInputs(torch.ones(1, 1, dtype=torch.bool)).to("cpu").word_ids is None

"""Aligned features against sums over target words written out."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.translation import Translation
from canner.transfer.aligned import (
    Transfer,
    TransferOptions,
    aligned_dim,
    aligned_features,
    select_attention,
    transfer_sentences,
)
from canner.transfer.teacher import TargetFeatures


def random_transfer(seed=0, layers=3, num_target=4, num_source=5):
    generator = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.rand(*shape, generator=generator)

    translation = Translation(
        tuple(f"s{i}" for i in range(num_source)),
        tuple(f"t{j}" for j in range(num_target)),
        rand(layers, num_target, num_source),
        rand(layers, num_target, num_source),
    )
    return Transfer(translation, TargetFeatures(rand(num_target, 6), rand(num_target, 3)))


OPTIONS = st.builds(
    TransferOptions,
    layer=st.sampled_from([1, 2, 3, "first", "last", "mean"]),
    reading=st.sampled_from(["produced", "read"]),
    normalise=st.sampled_from(["raw", "source"]),
    posteriors=st.booleans(),
    coverage=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(options=OPTIONS, seed=st.integers(0, 1000))
def test_equals_sums_written_out(options, seed):
    transfer = random_transfer(seed)
    translation, target = transfer.translation, transfer.target
    layers = translation.attention if options.reading == "produced" else translation.reading_attention
    chosen = {"first": [0], "last": [2], "mean": [0, 1, 2]}.get(options.layer) or [options.layer - 1]
    found = aligned_features(transfer, options)
    for i in range(5):
        weights = [sum(float(layers[k, j, i]) for k in chosen) / len(chosen) for j in range(4)]
        total = sum(weights) if options.normalise == "source" else 1.0
        rows = [target.features] + ([target.posteriors] if options.posteriors else [])
        expected = [
            sum(weights[j] * float(part[j, f]) for j in range(4)) / total
            for part in rows
            for f in range(part.shape[1])
        ]
        expected += [sum(weights)] if options.coverage else []
        torch.testing.assert_close(found[i], torch.tensor(expected))


@settings(max_examples=30, deadline=None)
@given(options=OPTIONS)
def test_width_is_as_announced(options):
    assert aligned_features(random_transfer(), options).shape == (5, aligned_dim(6, 3, options))


def test_posteriors_normalised_per_source_stay_distributions():
    generator = torch.Generator().manual_seed(0)
    posteriors = torch.softmax(torch.randn(4, 3, generator=generator), -1)
    transfer = Transfer(random_transfer().translation, TargetFeatures(torch.zeros(4, 6), posteriors))
    options = TransferOptions(features=False, posteriors=True, normalise="source")
    torch.testing.assert_close(aligned_features(transfer, options).sum(1), torch.ones(5))


@pytest.mark.parametrize("layer", ["first", "last", "mean", 2])
def test_a_copied_word_lies_where_it_was_copied_from(layer):
    plain = random_transfer().translation
    copied = dataclasses.replace(plain, copies=((1, 0), (1, 3), (2, 4)))
    found = select_attention(copied, TransferOptions(layer=layer, reading="copied"))
    torch.testing.assert_close(found[1], torch.tensor([0.5, 0, 0, 0.5, 0]))
    torch.testing.assert_close(found[2], torch.tensor([0.0, 0, 0, 0, 1]))
    # the other words keep their attention; so do all where nothing is copied, and where it is not asked for
    produced = select_attention(plain, TransferOptions(layer=layer))
    torch.testing.assert_close(found[[0, 3]], produced[[0, 3]])
    for same in (
        select_attention(plain, TransferOptions(layer=layer, reading="copied")),
        select_attention(copied, TransferOptions(layer=layer)),
    ):
        torch.testing.assert_close(same, produced)


def test_reading_falls_back_to_produced():
    transfer = random_transfer()
    plain = Translation(
        transfer.translation.source, transfer.translation.target, transfer.translation.attention
    )
    torch.testing.assert_close(
        select_attention(plain, TransferOptions(reading="read")),
        select_attention(plain, TransferOptions(reading="produced")),
    )


def test_layers_count_from_one():
    with pytest.raises(ValueError, match="expected a layer from 1 to 3, got 4"):
        aligned_features(random_transfer(), TransferOptions(layer=4))
    with pytest.raises(ValueError, match="expected layer 1 or above"):
        TransferOptions(layer=0)
    with pytest.raises(ValueError, match=r"unknown key 'norm' in TransferOptions.*did you mean 'normalise'"):
        TransferOptions(norm="raw")
    with pytest.raises(ValueError, match="expected something to carry"):
        TransferOptions(features=False)


def test_transfer_of_sentences(make_translator, make_teacher):
    translator, teacher = make_translator(), make_teacher()
    sentences = [("Ana", "ve"), ("untranslatable",), ("Madrid",)]
    transfers = transfer_sentences(sentences, translator, teacher)
    assert [t.translation.target for t in transfers] == [("anA", "ev", "!"), (), ("dirdaM", "!")]
    assert [tuple(t.target.features.shape) for t in transfers] == [(3, 3), (0, 3), (2, 3)]
    # what was not translated carries nothing, and says so by its coverage
    nothing = aligned_features(transfers[1], TransferOptions(posteriors=True, coverage=True))
    assert nothing.shape == (1, 6)
    assert (nothing == 0).all()


def test_results_of_wrong_number_are_refused(make_translator, make_teacher):
    class Forgetful(make_translator):
        def translate(self, sentences, *, progress=None):
            return super().translate(sentences)[:-1]

    with pytest.raises(ValueError, match="expected 2 translations, got 1"):
        transfer_sentences([("a",), ("b",)], Forgetful(), make_teacher())

    class Short(make_teacher):
        def read(self, sentences):
            return [TargetFeatures(f.features[:-1], f.posteriors[:-1]) for f in super().read(sentences)]

    with pytest.raises(ValueError, match="mend the teacher"):
        transfer_sentences([("a",)], make_translator(), Short())


def test_translation_checks_its_shapes():
    with pytest.raises(ValueError, match="expected attention of shape"):
        Translation(("a", "b"), ("x",), torch.zeros(1, 2, 1))
    with pytest.raises(ValueError, match="expected reading_attention of 2 layers"):
        Translation(("a",), ("x",), torch.zeros(2, 1, 1), torch.zeros(1, 1, 1))

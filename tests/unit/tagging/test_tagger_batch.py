"""Padding for the tagger."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.tagging.tagger_batch import make_batch
from canner.text.sentence import Sentence

SENTENCES = [Sentence(("Lima", "y", "Ana"), ("S-LOC", "O", "S-PER")), Sentence(("hoy",), ("O",))]
WORDS = st.text("abcñÑZ9,", min_size=1, max_size=60)


def build(config: EncodingConfig | None = None) -> TaggingEncoder:
    return TaggingEncoder.build(config or EncodingConfig(), SENTENCES, words=True, characters=True)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=7), min_size=1, max_size=5))
def test_padding_keeps_every_sentence_as_it_is_alone(texts: list[list[str]]) -> None:
    encoder = build(EncodingConfig(max_word_chars=8))
    encoded = [encoder.encode(Sentence(tuple(words))) for words in texts]
    features = [torch.randn(len(words), 3) for words in texts]
    batch, tag_ids = make_batch(encoded, features, features)
    assert tag_ids is None
    assert batch.word_ids is not None
    assert batch.char_ids is not None
    assert batch.features is not None
    for row, (words, one) in enumerate(zip(texts, encoded, strict=True)):
        length = len(words)
        assert batch.mask[row].tolist() == [True] * length + [False] * (batch.mask.shape[1] - length)
        assert one.word_ids is not None
        assert one.char_ids is not None
        assert torch.equal(batch.word_ids[row, :length], one.word_ids)
        width = one.char_ids.shape[1]
        assert width <= 8
        assert torch.equal(batch.char_ids[row, :length, :width], one.char_ids)
        assert not batch.char_ids[row, :length, width:].any()
        assert torch.equal(batch.features[row, :length], features[row])
        assert not batch.features[row, length:].any()


def test_tags_are_padded_beside_what_the_model_reads() -> None:
    encoder = build()
    encoded = [encoder.encode(sentence, with_tags=True) for sentence in SENTENCES]
    inputs, tag_ids = make_batch(encoded)
    assert tag_ids is not None
    assert tag_ids.shape == inputs.mask.shape == (2, 3)
    for row, sentence in enumerate(SENTENCES):
        assert sentence.tags is not None
        ids = [encoder.tags.id(tag) for tag in sentence.tags]
        assert tag_ids[row].tolist() == ids + [0] * (3 - len(ids))
    assert make_batch([encoded[0], encoder.encode(SENTENCES[1])])[1] is None


def test_features_of_another_sentence_are_refused() -> None:
    encoder = build()
    with pytest.raises(ValueError, match="3 tokens, got 4"):
        make_batch([encoder.encode(SENTENCES[0])], [torch.zeros(4, 2)])

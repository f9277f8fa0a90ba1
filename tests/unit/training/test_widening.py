"""Widening a frozen vocabulary: old words keep their vectors, new ones get theirs, nothing else changes."""

import numpy as np
import pytest
import torch

from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.tagger import TaggerConfig
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import make_model
from canner.text.sentence import Sentence
from canner.text.vectors import Vectors
from canner.training.widening import widen_vocabulary

SENTENCES = [Sentence(("anna", "sang"), ("S-PER", "O")), Sentence(("in", "rome"), ("O", "S-LOC"))]


def make_tagger(**changes):
    config = TaggerConfig(
        **{"word_dim": 5, "freeze_words": True, "hidden_dim": 4, "char_encoder": "none", **changes}
    )
    encoder = TaggingEncoder.build(EncodingConfig(), SENTENCES, words=True, characters=False)
    torch.manual_seed(0)
    return SentenceTagger(make_model(config, encoder, features_dim=0, aligned_dim=0), encoder, [])


def test_known_words_read_as_before_and_new_ones_have_their_vector():
    tagger = make_tagger()
    new = Vectors(np.arange(15, dtype=np.float32).reshape(3, 5), np.array([True, False, True]))
    wide = widen_vocabulary(tagger, ["oslo", "nowhere", "rome"], new)
    tokens = [("anna", "sang", "in", "rome")]
    for before, after in zip(tagger.hidden_states(tokens)[0], wide.hidden_states(tokens)[0], strict=True):
        assert torch.equal(before, after)
    words = wide.encoder.words
    assert len(words) == len(tagger.encoder.words) + 1  # rome was known, nowhere has no vector
    assert torch.equal(wide.model.word_embedding.weight[words.id("oslo")], torch.arange(5.0))
    assert "nowhere" not in words


def test_only_frozen_vectors_of_the_same_width_can_be_widened():
    vectors = Vectors(np.zeros((1, 5), dtype=np.float32), np.array([True]))
    with pytest.raises(ValueError, match="frozen word vectors"):
        widen_vocabulary(make_tagger(freeze_words=False), ["oslo"], vectors)
    narrow = Vectors(np.zeros((1, 4), dtype=np.float32), np.array([True]))
    with pytest.raises(ValueError, match="width 5, got 4"):
        widen_vocabulary(make_tagger(), ["oslo"], narrow)

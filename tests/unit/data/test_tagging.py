"""Encoding for the tagger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canner.data.tagging import EncodedSentence, EncodingConfig, TaggingEncoder, word_shape
from canner.data.word_pieces import PieceRow
from canner.text.sentence import Sentence

SENTENCES = [
    Sentence(("Ana", "vive", "en", "La", "Paz"), ("S-PER", "O", "O", "B-LOC", "E-LOC")),
    Sentence(("hoy", "en", "casa"), ("O", "O", "O")),
]


def build(config: EncodingConfig | None = None) -> TaggingEncoder:
    return TaggingEncoder.build(config or EncodingConfig(), SENTENCES, words=True, characters=True)


def test_ids_lead_back_to_words_characters_and_tags() -> None:
    encoder = build()
    encoded = encoder.encode(SENTENCES[0], with_tags=True)
    assert encoder.words is not None
    assert encoder.characters is not None
    assert encoded.word_ids is not None
    assert encoded.char_ids is not None
    assert encoded.tag_ids is not None
    assert [encoder.words.items[i] for i in encoded.word_ids] == ["ana", "vive", "en", "la", "paz"]
    first = [encoder.characters.items[i] for i in encoded.char_ids[0] if i > 0]
    assert first == list("Ana")
    assert [encoder.tags.items[i] for i in encoded.tag_ids] == list(SENTENCES[0].tags or ())
    assert encoder.tags.items[0] == "O"
    assert len(encoder.tags.items) == 9


def test_rare_words_are_unknown_and_extra_words_known() -> None:
    encoder = TaggingEncoder.build(
        EncodingConfig(min_word_count=2), SENTENCES, words=True, characters=False, extra_words=["quito", "en"]
    )
    assert encoder.words is not None
    assert set(encoder.words.items[2:]) == {"en", "quito"}


def test_of_shapes_only_capitals_other_letters_digits_and_signs_are_read() -> None:
    shapes = {
        "Lima": "Xxxx",
        "ONU": "XXX",
        "e-Mail": "x-Xxxx",
        "3.a": "d.x",
        "Ñandú2": "Xxxxxd",
        "习": "x",
        "ẹ̀kọ́": "xxx",
    }
    assert {token: word_shape(token) for token in shapes} == shapes
    encoder = build(EncodingConfig(word_shapes=True))
    ana, eva, lee = (encoder.encode(Sentence((token,))).char_ids for token in ("Ana", "Eva", "lee"))
    assert ana is not None
    assert eva is not None
    assert lee is not None
    assert ana.tolist() == eva.tolist() != lee.tolist()
    assert encoder.words is not None
    assert "ana" in encoder.words.items


def test_a_tag_that_training_has_not_seen_is_named() -> None:
    with pytest.raises(ValueError, match="S-ORG"):
        build().encode(Sentence(("ONU",), ("S-ORG",)), with_tags=True)


def test_no_sentences_and_no_tags_are_errors() -> None:
    with pytest.raises(ValueError, match="got none"):
        TaggingEncoder.build(EncodingConfig(), [], words=True, characters=True)
    with pytest.raises(ValueError, match="without tags"):
        TaggingEncoder.build(EncodingConfig(), [Sentence(("a",))], words=True, characters=True)


def test_what_there_is_to_read_of_a_sentence_is_its_words_or_its_pieces() -> None:
    words = EncodedSentence(3, None, None, None)
    assert words.size == 3
    few, many = PieceRow([0, 1], []), PieceRow([0, *range(9)], [])
    assert replace(words, pieces=[few]).size == 3
    assert replace(words, pieces=[few, many]).size == 12

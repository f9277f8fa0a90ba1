"""`Tagger` and `Translator` as users call them: offsets, English, long and empty input, bundles that move."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import canner
from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.data.translation import Translation
from canner.decoding.neural_translator import NeuralTranslator
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.models.tagger import TaggerConfig
from canner.pipeline.alignment import align_texts
from canner.pipeline.results import EnglishView, Tagged, TaggedSentence, Translated
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import make_model, save_tagger
from canner.text.copying import Copier
from canner.text.entities import Entity
from canner.text.sentence import Sentence
from canner.text.subwords import Subwords
from canner.text.tokenizer import Token
from canner.transfer.aligned import Transfer
from canner.transfer.external import FileTranslator
from canner.transfer.gloss import GlossConfig, WordGloss
from canner.transfer.lexicon import Entry, Lexicon
from canner.transfer.teacher import TargetFeatures
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

ENGLISH = {"vive": "lives", "en": "in", "hoy": "today", "mañana": "tomorrow", "el": "the"}
LABELLED = Sentence(("Ana", "vive", "en", "Lima"), ("S-PER", "O", "O", "S-LOC"))


def decided(aligned_dim: int) -> SentenceTagger:
    """Untrained, but with strong opinions: it finds something in nearly every sentence."""
    torch.manual_seed(11)
    encoder = TaggingEncoder.build(EncodingConfig(), [LABELLED], words=True, characters=True)
    config = TaggerConfig(word_dim=6, char_channels=6, hidden_dim=4)
    model = make_model(config, encoder, features_dim=0, aligned_dim=aligned_dim)
    with torch.no_grad():
        model.output.weight.mul_(20)
    return SentenceTagger(model, encoder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles beside each other: `teacher`, `gloss`, and `can`, which refers to both."""
    folder = tmp_path_factory.mktemp("bundles")
    save_tagger(folder / "teacher", decided(0))
    entries = {word: Entry(english, 9) for word, english in ENGLISH.items()}
    WordGloss(Lexicon(entries), GlossConfig()).save(folder / "gloss")
    transfer = TransferConfig(
        teacher=str(folder / "teacher"), views=(ViewConfig(translator=str(folder / "gloss")),) * 2
    )
    width = TransferViews.load(transfer).aligned_dim
    extra = {"transfer": transfer.relative_to(folder / "can").model_dump(mode="json")}
    save_tagger(folder / "can", decided(width), extra)
    return folder


@pytest.fixture(scope="module")
def can(folder: Path) -> canner.Tagger:
    return canner.Tagger.load(folder / "can")


def check_offsets(result: Tagged) -> None:
    for token in result.tokens:
        assert result.text[token.start : token.end] == token.text
    for entity in result.entities:
        assert result.text[entity.start : entity.end] == entity.text
        assert result.tokens[entity.start_token].start == entity.start
        assert result.tokens[entity.end_token - 1].end == entity.end
        assert 0.0 <= entity.confidence <= 1.0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="Aañ .,\n\t北京 ¿!1'-\u0301", max_size=50))
def test_offsets_lead_to_the_text_whatever_it_is(text: str, can: canner.Tagger) -> None:
    result = can.tag(text)
    assert result.text == text
    check_offsets(result)
    assert "".join(token.text for token in result.tokens) == "".join(text.split())


def test_text_tokens_and_many(can: canner.Tagger) -> None:
    text = can.tag("Ana vive en Lima hoy. Eva vive en Quito.")
    assert len(text.sentences) == 2
    assert text.entities
    tokens = can.tag(["Ana", "vive", "en", "Lima", "hoy", "."])
    assert tokens.sentences[0].entities == text.sentences[0].entities
    many = can.tag([["Ana", "vive"], ["Eva"]])
    assert [result.text for result in many] == ["Ana vive", "Eva"]
    for result in (text, tokens, *many):
        check_offsets(result)
    assert [r.to_dict() for r in can.tag_stream(iter(["Ana vive"] * 70))] == [
        can.tag("Ana vive").to_dict()
    ] * 70


def test_nothing_gives_a_result_without_entities(can: canner.Tagger) -> None:
    for empty in (can.tag(""), can.tag(" \n "), can.tag([])):
        assert (empty.entities, empty.tokens, empty.english, empty.alignment, empty.attention) == (
            (),
            (),
            "",
            [],
            None,
        )
    with pytest.raises(ValueError, match="got an empty one"):
        can.tag(["a", ""])


def test_english_alignment_and_attention_of_a_text(can: canner.Tagger) -> None:
    result = can.tag("Ana vive hoy. Mañana en Lima.")
    assert result.english == "Ana lives today. Tomorrow in Lima."
    assert result.english_tokens[1] == "lives"
    assert result.alignment == [(i, i) for i in range(8)]
    assert result.attention is not None
    assert result.attention.shape == (1, 8, 8)
    assert torch.equal(result.attention[0], torch.eye(8))
    assert len(result.sentences[0].views) == 2
    assert result.to_dict()["english"] == result.english


def test_a_plain_tagger_has_no_english(folder: Path) -> None:
    plain = canner.Tagger.load(folder / "teacher")
    assert not plain.reads_english
    assert plain.types == ["LOC", "PER"]
    assert plain.tag("Ana vive en Lima").english is None


def test_two_thousand_tokens_are_tagged_whole(can: canner.Tagger) -> None:
    tokens = ["Ana", "vive", "en", "Lima"] * 500
    result = can.tag(tokens)
    assert len(result.tokens) == 2000
    check_offsets(result)
    ends = [entity.end_token for entity in result.entities]
    assert ends
    assert max(ends) > 1900


def test_a_saved_tagger_needs_nothing_else(folder: Path, can: canner.Tagger, tmp_path: Path) -> None:
    can.save(tmp_path / "packed")
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    (tmp_path / "packed").rename(moved)
    again = canner.Tagger.load(moved)
    text = "Ana vive en Lima hoy."
    assert again.tag(text).to_dict() == can.tag(text).to_dict()
    with pytest.raises(ValueError, match="new or empty folder"):
        can.save(moved)
    (moved / "teacher" / "config.json").unlink()
    with pytest.raises(ValueError, match=r"teacher: expected a bundle, found no config\.json"):
        canner.Tagger.load(moved)


def test_the_translator(folder: Path) -> None:
    translator = canner.Translator.load(folder / "gloss")
    raw, tokens, empty = translator.translate(["Ana vive hoy.", ["el", "Ana"], ""])
    assert raw.source == ("Ana", "vive", "hoy", ".")
    assert raw.text == "Ana lives today."
    assert raw.attention.shape == (translator.num_layers, 4, 4)
    assert tokens.target == ("the", "Ana")
    assert (empty.source, empty.target, empty.alignment) == ((), (), [])
    with pytest.raises(
        ValueError, match="expected a translator, an aligner or a gloss, got a bundle of kind 'tagger'"
    ):
        canner.Translator.load(folder / "teacher")


@pytest.mark.parametrize("layer", [-1, 2])
def test_a_layer_that_is_not_there_is_not_read(folder: Path, layer: int) -> None:
    with pytest.raises(ValueError, match=rf"expected a layer from 1 to 1 \(0: the mean\), got {layer}"):
        align_texts(io.BytesIO(b"Ana vive"), None, translator=folder / "gloss", layer=layer)


def test_words_to_align_may_be_what_stands_between_spaces(folder: Path) -> None:
    text = b"Ana vive 81-77 ."
    (cut,) = align_texts(io.BytesIO(text), None, translator=folder / "gloss")
    (given,) = align_texts(io.BytesIO(text), None, translator=folder / "gloss", tokens=True)
    assert [source for source, _ in cut] == [0, 1, 2, 3, 4, 5]
    assert [source for source, _ in given] == [0, 1, 2, 3]


def test_a_file_of_translations_takes_links_of_tokens(tmp_path: Path) -> None:
    pytest.importorskip("eflomal")
    source = ["Los Mets ganan 81-77", "Moody gana", "Los Mets ganan"] * 5
    english = ["the Mets win 81-77", "Moody's win's", "the Mets win"] * 5
    for name, lines in (("all.es", source), ("all.en", english)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    links = align_texts(tmp_path / "all.es", tmp_path / "all.en", tokens=True)
    found = FileTranslator(source, english, links).translate([("Los", "Mets", "ganan", "81-77")])[0]
    assert found.target == ("the", "Mets", "win", "81-77")
    assert found.attention[0, 1].tolist() == [0, 1, 0, 0]
    with pytest.raises(ValueError, match="expected links below"):
        FileTranslator(source, english, align_texts(tmp_path / "all.es", tmp_path / "all.en"))


def test_a_translator_searches_as_it_is_told_to(tmp_path: Path) -> None:
    torch.manual_seed(1)
    subwords = Subwords.train([list("abcdefghij")] * 3, vocab_size=60)
    sizes = ConvS2SConfig(embed_dim=8, hidden_dim=8, encoder_layers=1, decoder_layers=1, max_positions=32)
    model = ConvS2S(sizes, num_source_pieces=len(subwords), num_target_pieces=len(subwords))
    with torch.no_grad():
        model.decoder.output.bias[Subwords.eos_id] = -20  # it ends where it must
    NeuralTranslator(model, subwords, subwords, Copier(list("abcdefghij"))).save(tmp_path / "neural")
    sentences = [["a", "b", "c"], ["d", "e"]]
    wide = canner.Translator.load(tmp_path / "neural").translate(sentences)
    short = canner.Translator.load(
        tmp_path / "neural", options={"beam_size": 1, "max_length_ratio": 0.1, "max_length_extra": 2}
    ).translate(sentences)
    assert [len(translated.target) for translated in short] == [1, 1]
    assert all(len(translated.target) > 1 for translated in wide)
    with pytest.raises(ValueError, match=r"options: unknown key 'beam'.*did you mean 'beam_size'"):
        canner.Translator.load(tmp_path / "neural", options={"beam": 1})


def test_links_follow_the_strongest_attention_where_there_is_enough() -> None:
    attention = torch.tensor([[[0.7, 0.2, 0.0], [0.1, 0.1, 0.1], [0.2, 0.3, 0.5]]])
    translated = Translated(Translation(("a", "b", "c"), ("x", "y", "z"), attention))
    assert translated.alignment == [(0, 0), (2, 2)]


def test_a_copied_word_is_linked_with_all_its_tokens():
    attention = torch.full((1, 2, 6), 0.1)
    attention[0, 1, 5] = 0.5
    name = [(0, token) for token in range(5)]
    translated = Translated(Translation(tuple("abcdef"), ("Name", "met"), attention, copies=tuple(name)))
    assert translated.alignment == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 1)]


def test_a_word_that_the_teacher_cannot_read_is_in_no_entity() -> None:
    translation = Translation(("a", "b"), ("A", "B"), torch.ones(1, 2, 2))
    target = TargetFeatures(torch.zeros(2, 3), torch.tensor([[0.0, 0.0], [0.6, 0.4]]))
    found = canner.pipeline.tagger._likeliest_entities(Transfer(translation, target), ("B-LOC", "O"))
    assert found == (Entity(1, 2, "LOC"),)


def test_entities_of_a_later_sentence_are_counted_from_the_start_of_the_text() -> None:
    view = EnglishView(Translation(("b",), ("B",), torch.ones(1, 1, 1)), "t", ())
    sentences = (
        TaggedSentence(0, (Token("a", 0, 1),), (), (view,)),
        TaggedSentence(1, (Token("b", 2, 3),), (Entity(0, 1, "X", 0.5),), (view,)),
    )
    result = Tagged("a b", sentences)
    (entity,) = result.entities
    assert (entity.start, entity.end, entity.start_token, entity.end_token) == (2, 3, 1, 2)
    assert result.alignment == [(0, 0), (1, 1)]


def test_several_texts_are_not_the_tokens_of_one(can: canner.Tagger) -> None:
    texts = ["Ana vive en Lima.", "Hola"]
    assert [result.text for result in can.tag(texts)] == texts  # type: ignore[union-attr]
    assert can.tag(word for word in ["Ana", "vive"]).text == "Ana vive"  # type: ignore[call-overload]


@pytest.mark.wrong_types
@pytest.mark.parametrize("wrong", [None, b"Ana", 7, [1, 2], ["Ana vive", ["Ana"]]])
def test_what_cannot_be_tagged_is_refused(can: canner.Tagger, wrong: object) -> None:
    with pytest.raises(ValueError, match="expected a text, the tokens"):
        can.tag(wrong)  # type: ignore[call-overload]


@pytest.mark.wrong_types
@pytest.mark.parametrize("wrong", ["Ana", b"Ana", 7, None, [None], [b"Ana"], [["Ana"]]])
def test_what_is_no_list_of_texts_is_refused(can: canner.Tagger, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected (several )?texts, got"):
        can.tag_texts(wrong)
    with pytest.raises(ValueError, match=r"expected (several )?texts, got"):
        list(can.tag_stream(wrong))


@pytest.mark.wrong_types
@pytest.mark.parametrize("wrong", ["Ana", None, ["Ana", "vive"], [["Ana", 1]], [None], [bytearray(b"Ana")]])
def test_what_is_no_list_of_tokens_is_refused(can: canner.Tagger, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected (several )?sentences, each a list of tokens, got"):
        can.tag_tokens(wrong)


def test_tokens_may_come_in_anything_that_can_be_gone_through(can: canner.Tagger) -> None:
    words = ["Ana", "vive", "en", "Lima"]
    given = (words, tuple(words), np.array(words), iter(words))
    results = can.tag_tokens(given)  # type: ignore[arg-type]
    spans = [[(e.type, e.start, e.end) for e in result.entities] for result in results]
    assert spans == [spans[0]] * 4


def test_the_json_of_a_result_has_the_same_keys_for_every_text(can: canner.Tagger) -> None:
    full, empty = (result.to_dict() for result in can.tag_texts(["Ana vive en Lima.", " "]))
    assert list(empty) == list(full)
    assert (empty["english"], empty["english_tokens"], empty["alignment"]) == ("", [], [])
    assert full["english_tokens"]
    for token, word in full["alignment"]:
        assert 0 <= token < len(full["tokens"])
        assert 0 <= word < len(full["english_tokens"])
    assert json.loads(json.dumps(full)) == full


@pytest.mark.parametrize("wrong", [[None], None, [5], b"x", [b"x"], [["a", 3]], 7, ["a", None]])
def test_what_cannot_be_translated_is_refused(folder: Path, wrong: object) -> None:
    translator = canner.Translator.load(folder / "gloss")
    with pytest.raises(
        ValueError, match="expected a list of sentences, each a text or a list of tokens, got"
    ):
        translator.translate(wrong)  # type: ignore[arg-type]
    assert [t.text for t in translator.translate([("vive", "en"), "hoy"])] == ["lives in", "today"]


@pytest.mark.parametrize("device", ["bogus", "cuda", "cuda:99", "cudas", "", None])
def test_a_device_that_is_not_there_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda:99")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(device == "cuda:99"))
    for kind, name in ((canner.Tagger, "can"), (canner.Translator, "gloss")):
        with pytest.raises(ValueError, match=rf"expected the device cpu \(or cuda.*, got {device!r}"):
            kind.load(folder / name, device=device)


def test_one_text_to_translate_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="put it in a list"):
        canner.Translator.load(folder / "gloss").translate("Ana vive")


@pytest.mark.parametrize("name", ["can", "teacher"])
def test_lone_surrogates_keep_their_place(folder: Path, name: str) -> None:
    tagger = canner.Tagger.load(folder / name)
    text = "a \ud800 b\udfff Ana vive en Lima\ud83d\ude00 hoy \udc00"
    result, clean = tagger.tag(text), tagger.tag(re.sub("[\ud800-\udfff]", "\ufffd", text))
    check_offsets(result)
    assert len(result.text) == len(text)
    assert result.entities == clean.entities
    assert result.entities
    for entity in result.entities:
        assert entity.text == re.sub("[\ud800-\udfff]", "\ufffd", text[entity.start : entity.end])
    json.dumps(result.to_dict(), ensure_ascii=False).encode()
    tokens = tagger.tag(["a", "\ud800", "b\udfff"])
    check_offsets(tokens)
    assert [len(token.text) for token in tokens.tokens] == [1, 1, 2]
    [translated] = canner.Translator.load(folder / "gloss").translate(["a \ud800 b"])
    assert (translated.source, translated.text) == (("a", "\ufffd", "b"), "a \ufffd b")


def test_representations_are_short_and_hold_no_tensors(can: canner.Tagger, folder: Path) -> None:
    [translated] = canner.Translator.load(folder / "gloss").translate(["Ana vive hoy"])
    shown = "'Ana vive hoy' → 'Ana lives today', score 0.000, attention [1, 3, 3]"
    assert repr(translated) == f"Translated({shown})"
    assert repr(translated.translation) == f"Translation({shown})"
    view = EnglishView(translated.translation, "gloss", (Entity(0, 1, "PER"),))
    assert repr(view) == f"EnglishView(gloss: {shown}, entities [PER 'Ana'])"
    token = Token("Ana", 0, 3)
    sentence = TaggedSentence(0, (token,), (Entity(0, 1, "PER", 0.5),), (view,))
    assert repr(sentence) == f"TaggedSentence('Ana', entities [PER 'Ana'], {view!r})"
    assert (
        repr(Tagged("Ana", (sentence,))) == "Tagged('Ana', entities [PER 'Ana'], English 'Ana lives today')"
    )
    many = Tagged("Ana", (TaggedSentence(0, (token,), (Entity(0, 1, "PER"),) * 12),))
    assert repr(many).endswith("'Ana', … 4 more])".replace("'Ana'", "PER 'Ana'"))
    long = can.tag("Ana vive en Lima hoy. " * 100)
    for result in (long, *long.sentences, *long.sentences[0].views):
        assert len(repr(result)) < 1200
        assert "tensor" not in repr(result)


def test_names_that_are_loaded_late_are_listed() -> None:
    assert {"Tagger", "Translator", "Tagged", "Translated", "__version__", "__doc__"} <= set(dir(canner))
    assert all(hasattr(canner, name) for name in dir(canner))

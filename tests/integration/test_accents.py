"""However a text writes its accents, in one character or in two, models read the same and offsets are its own."""

import json
import unicodedata
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import canner as library
from canner.data.char_stream import read_char_stream
from canner.data.shard_folder import sentence_key
from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.char_lm import BidirectionalCharLM, CharLMConfig
from canner.tagging.char_features import CharLMFeatures
from canner.text.accents import all_composed, composed, without_accents
from canner.text.sentence import Sentence
from canner.text.tokenizer import tokenize, tokenize_words
from canner.text.vectors import load_vectors
from canner.text.vocabulary import Vocabulary
from canner.transfer.external import FileTranslator
from canner.transfer.views import load_translator

MODELS = Path(__file__).resolve().parents[2] / "models"
TOKENS = ("El", "presidente", "José", "Núñez", "llegó", "a", "Bogotá", ".")
YORUBA = ("Ààrẹ", "Bùhárí", "lọ", "sí", "Ìbàdàn", ".")


def apart(words):
    """The words with their accents as characters of their own."""
    return tuple(unicodedata.normalize("NFD", word) for word in words)


@pytest.mark.parametrize(
    ("word", "plain"),
    [("Bùhárí", "Buhari"), ("ọ̀pọ̀", "opo"), ("Pérez", "Perez"), ("Łódź", "Lodz"), ("Đà", "Da")]
    + [(word, word) for word in ("王", "김정은", "हिन्दी", "กรุงเทพ", "ガラス", "أحمد", "Нижний")],
)
def test_english_has_no_accents(word, plain):
    assert without_accents(word) == without_accents(unicodedata.normalize("NFD", word)) == plain


def test_a_tagger_reads_the_same_and_keeps_the_offsets_of_its_text():
    tagger = library.Tagger.load(MODELS / "es-can")
    whole, parts = "José Núñez llegó a Bogotá.", unicodedata.normalize("NFD", "José Núñez llegó a Bogotá.")
    found, again = tagger.tag(whole).entities, tagger.tag(parts).entities
    assert [entity.type for entity in found] == ["PER", "LOC"]
    assert [(e.type, composed(e.text), e.confidence) for e in again] == [
        (e.type, e.text, pytest.approx(e.confidence)) for e in found
    ]
    assert all(entity.text == parts[entity.start : entity.end] for entity in again)


@pytest.mark.parametrize("name", ["es-en", "es-en-gloss", "yo-en", "yo-en-gloss"])
def test_a_translator_reads_the_same_and_keeps_the_tokens(name):
    tokens = YORUBA if name.startswith("yo") else TOKENS
    translator = load_translator(MODELS / name)
    (found,), (again,) = translator.translate([tokens]), translator.translate([apart(tokens)])
    assert (found.source, again.source) == (tokens, apart(tokens))
    assert found.target == again.target
    assert torch.equal(found.attention, again.attention)
    text, decomposed = " ".join(tokens), " ".join(apart(tokens))
    ours = library.Translator.load(MODELS / name)
    assert [t.source for t in ours.translate([text, decomposed])] == [tokens, apart(tokens)]


@pytest.mark.parametrize("name", ["es-en", "yo-en"])
def test_forcing_what_was_translated_gives_its_score_and_attention(name):
    tokens = YORUBA if name.startswith("yo") else TOKENS
    translator = load_translator(MODELS / name)
    (found,) = translator.translate([tokens])
    for source, target in ((tokens, found.target), (apart(tokens), apart(found.target))):
        again = translator.force(source, target)
        assert again.source == source
        assert again.score == pytest.approx(found.score, abs=1e-4)
        assert torch.allclose(again.attention, found.attention, atol=1e-4)


def test_chinese_reads_the_same():
    gloss = load_translator(MODELS / "zh-en-gloss")
    whole, parts = gloss.translate([["José", "\u91d1", "正", "恩"], ["Jose\u0301", "\uf90a", "正", "恩"]])
    assert whole.target == parts.target


@pytest.mark.parametrize("name", ["yo-en", "yo-en-gloss"])
def test_names_are_copied_without_tones(name):
    (found,) = load_translator(MODELS / name).translate([("Ọ̀gbẹ́ni", "Adébóyèjọ", "sọ", ".")])
    assert "Adeboyejo" in found.target


def test_given_translations_and_stores_are_found():
    files = FileTranslator([" ".join(TOKENS)], ["President José Núñez"], [[(1, 0), (2, 1), (3, 2)]])
    (found,) = files.translate([apart(TOKENS)])
    assert found.target == ("President", "José", "Núñez")
    assert sentence_key(TOKENS) == sentence_key(apart(TOKENS)) != sentence_key(TOKENS[:-1])


def test_words_and_characters_are_the_same():
    training = [Sentence(apart(TOKENS), tags=("O",) * len(TOKENS))]
    encoder = TaggingEncoder.build(EncodingConfig(), training, words=True, characters=True)
    found, again = encoder.encode(Sentence(TOKENS)), encoder.encode(Sentence(apart(TOKENS)))
    assert torch.equal(found.word_ids, again.word_ids)
    assert torch.equal(found.char_ids, again.char_ids)
    assert encoder.words.unk_id not in found.word_ids.tolist()


@pytest.mark.parametrize("tokenized", [True, False])
def test_character_language_models_learn_composed_text(tmp_path, tokenized):
    path = tmp_path / "text.txt"
    path.write_text(" ".join(apart(TOKENS)) + "\n", encoding="utf-8")
    text = read_char_stream(path, tokenized=tokenized, clitics=False)
    assert text == "\n" + " ".join(TOKENS) + "\n"


def test_character_language_models_read_the_same():
    torch.manual_seed(1)
    vocabulary = Vocabulary(sorted(set(" ".join(TOKENS) + "\n")))
    config = CharLMConfig(embedding_dim=4, hidden_dim=6)
    features = CharLMFeatures(config, BidirectionalCharLM(config, len(vocabulary)), vocabulary)
    found, again = features.embed([TOKENS, apart(TOKENS)])
    assert torch.equal(found, again)


@pytest.mark.parametrize("word", ["ọ́mọ", "o\u0323\u0301mo\u0323", "o\u0301\u0323mo\u0323"])
def test_vectors_are_found_however_their_file_writes(tmp_path, word):
    path = tmp_path / "vectors.vec"
    path.write_text(f"1 2\n{word} 1.5 2.5\n", encoding="utf-8")
    assert load_vectors(path, ["ọ́mọ"]).matrix.tolist() == [[1.5, 2.5]]


def test_files_that_differ_in_accents_only_are_compared(canner, tmp_path):
    for name, tokens in (("gold", TOKENS), ("found", apart(TOKENS))):
        lines = [f"{token} {'B-LOC' if token[:1] == 'B' else 'O'}" for token in tokens]
        (tmp_path / f"{name}.conll").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    answer = canner("evaluate", tmp_path / "gold.conll", tmp_path / "found.conll", "--json")
    assert json.loads(answer.out)["all"]["f1"] == 100.0


@pytest.mark.parametrize(
    "text",
    [
        "हिन्दी में लड़का",
        "ঢাকায় Juan",
        "Á. Pérez, Ö. Müller y É.U.",
        "أحمد في",
        "ガラス",
        "김정은 위원장",
        "ọ̀pọ̀ x\u0323\u0301y",
    ],
)
def test_tokens_are_cut_alike(text):
    whole, parts = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    cut = tokenize(parts)
    assert [composed(token.text) for token in cut] == [token.text for token in tokenize(whole)]
    assert all(token.text == parts[token.start : token.end] for token in cut)


def test_words_are_learned_composed():
    assert tokenize_words(" ".join(apart(TOKENS))) == list(all_composed(apart(TOKENS))) == list(TOKENS)


def test_marks_belong_to_their_words():
    assert tokenize_words("हिन्दी में, الكِتاب") == ["हिन्दी", "में", ",", "الكِتاب"]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aé\u0301\u0323\u0344\u0958\u09df\u09bc\u1100\u1161\u11a8\ufb1d .", max_size=12))
def test_every_character_is_in_one_token_whatever_composes(text):
    tokens = tokenize(text)
    assert all(token.text == text[token.start : token.end] != "" for token in tokens)
    covered = [place for token in tokens for place in range(token.start, token.end)]
    assert covered == [place for place, character in enumerate(text) if not character.isspace()]

"""Translations from files: looked up by tokens, attention from alignments, mistakes named."""

import pytest
import torch

from canner.data.translation import Translator
from canner.text.conll import read_conll
from canner.transfer.aligned import TransferOptions, aligned_features, transfer_sentences
from canner.transfer.external import FileTranslator

SOURCE = ["El Banco de España", "hola", "El Banco de España"]
ENGLISH = ["The Bank of Spain", "", "another one"]
LINKS = [[(0, 0), (1, 1), (3, 3), (3, 2)], [], [(0, 0)]]


def test_attention_is_the_alignment():
    translator = FileTranslator(SOURCE, ENGLISH, LINKS)
    assert isinstance(translator, Translator)
    found = translator.translate([("El", "Banco", "de", "España")])[0]
    assert found.target == ("The", "Bank", "of", "Spain")
    expected = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])
    assert torch.equal(found.attention, expected[None])
    assert len(translator) == 2


def test_empty_english_carries_nothing(make_teacher):
    transfer = transfer_sentences([("hola",)], FileTranslator(SOURCE, ENGLISH, LINKS), make_teacher())[0]
    assert (aligned_features(transfer, TransferOptions(posteriors=True)) == 0).all()


def test_fingerprint_is_of_the_content():
    same = FileTranslator(SOURCE, ENGLISH, LINKS, name="elsewhere").fingerprint
    assert same == FileTranslator(SOURCE, ENGLISH, LINKS).fingerprint
    others = [
        FileTranslator(SOURCE, ENGLISH, [[], *LINKS[1:]]),
        FileTranslator(SOURCE, ["The bank of Spain", *ENGLISH[1:]], LINKS),
    ]
    assert len({same, *(other.fingerprint for other in others)}) == 3


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="got 3 source lines, 2 English lines and 3 alignments"):
        FileTranslator(SOURCE, ENGLISH[:2], LINKS)
    with pytest.raises(ValueError, match="line 1: expected links below 4-4, got 4-1"):
        FileTranslator(SOURCE, ENGLISH, [[(4, 1)], [], []])
    with pytest.raises(ValueError, match="line 2: expected links below 1-0, got 0-0"):
        FileTranslator(SOURCE, ENGLISH, [[], [(0, 0)], []])
    with pytest.raises(ValueError, match="got one without translation: 'adios'"):
        FileTranslator(SOURCE, ENGLISH, LINKS).translate([("hola",), ("adios",)])


def test_missing_sentences_can_be_empty():
    translator = FileTranslator(SOURCE, ENGLISH, LINKS, missing="empty")
    found = translator.translate([("adios", "amigo")])[0]
    assert found.target == ()
    assert found.attention.shape == (1, 0, 2)
    assert translator.fingerprint != FileTranslator(SOURCE, ENGLISH, LINKS).fingerprint


def test_reads_files_in_parts(tmp_path):
    for part, (source, english, links) in {
        "train": ("a b\n", "x y\n", "0-0 1-1\n"),
        "dev": ("c\n", "z\n", "\n"),
    }.items():
        (tmp_path / f"{part}.xx").write_text(source)
        (tmp_path / f"{part}.en").write_text(english)
        (tmp_path / f"{part}.align").write_text(links)
    paths = [[tmp_path / f"{part}.{kind}" for part in ("train", "dev")] for kind in ("xx", "en", "align")]
    translator = FileTranslator.read(*paths)
    targets = [translation.target for translation in translator.translate([("c",), ("a", "b")])]
    assert targets == [("z",), ("x", "y")]
    (tmp_path / "dev.en").write_text("z\nz\n")
    with pytest.raises(
        ValueError, match=r"dev\.xx: expected as many English lines.*got 1 source lines, 2 English"
    ):
        FileTranslator.read(*paths)
    (tmp_path / "dev.align").write_text("0-\n")
    with pytest.raises(ValueError, match=r"dev\.align, line 1: expected links i-j"):
        FileTranslator.read(*paths)
    with pytest.raises(ValueError, match="name them in threes"):
        FileTranslator.read(paths[0], paths[1][:1], paths[2])
    (tmp_path / "dev.align").unlink()
    with pytest.raises(ValueError, match=r"dev\.align: expected a file, found none"):
        FileTranslator.read(*paths)


@pytest.mark.data
@pytest.mark.parametrize("system", ["DeepL", "m2m100"])
@pytest.mark.parametrize(
    ("pair", "corpus", "num_other"),
    # two German sentences have other tokens in the corpus than in the translated copy
    [("es-en", "conll2002_es/esp.testb", 0), ("de-en", "conll2003_de/test.txt", 2)],
)
def test_covers_the_published_translations(data_folder, pair, corpus, num_other, system):
    folder = data_folder / "external" / pair
    translator = FileTranslator.read(
        [folder / f"source.test.{pair[:2]}"],
        [folder / f"{system}.test.en"],
        [folder / f"{system}.test.align"],
        missing="empty",
    )
    sentences = [sentence.tokens for sentence in read_conll(data_folder / "ner" / corpus)]
    translations = translator.translate(sentences)
    assert [translation.source for translation in translations] == sentences
    assert sum(not translation.target for translation in translations) == num_other
    linked = sum(float((t.attention[0].sum(0) > 0).sum()) for t in translations)
    assert linked / sum(map(len, sentences)) > 0.8

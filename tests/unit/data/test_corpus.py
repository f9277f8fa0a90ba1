"""Corpora: subsets are fixed by their seed, types are mapped, broken files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from canner.data.corpus import CorpusConfig, data_path, draw_subset, load_corpus, map_types
from canner.text.sentence import Sentence

TEXT = "Ana B-PERSON\nvive O\nen O\nQuito B-GPE\n\nhoy O\n\nEva B-PERSON\nSol I-PERSON\n"


def test_types_not_named_are_dropped() -> None:
    sentence = Sentence(("Ana", "vive", "en", "Quito"), ("S-PERSON", "O", "O", "S-GPE"))
    assert map_types(sentence, {"PERSON": "PER"}).tags == ("S-PER", "O", "O", "O")


def test_subset_depends_on_the_seed_alone_and_keeps_the_order() -> None:
    sentences = [Sentence((str(number),), ("O",)) for number in range(50)]
    first = draw_subset(sentences, 10, 3)
    assert first == draw_subset(list(sentences), 10, 3)
    assert first != draw_subset(sentences, 10, 4)
    numbers = [int(sentence.tokens[0]) for sentence in first]
    assert numbers == sorted(set(numbers))
    with pytest.raises(ValueError, match="at most 50"):
        draw_subset(sentences, 51, 0)


def test_a_corpus_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    monkeypatch.setenv("CORPUS_HERE", str(tmp_path))
    config = CorpusConfig(
        train=("$CORPUS_HERE/a.txt", "$CORPUS_HERE/a.txt"), types={"PERSON": "PER"}, num_sentences=4
    )
    corpus = load_corpus(config)
    assert len(corpus.train) == 4
    assert corpus.dev == []
    assert {entity.type for sentence in corpus.train for entity in sentence.entities} == {"PER"}


def test_what_is_held_out_is_no_longer_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "all.txt"
    path.write_text("".join(f"word{number} O\n\n" for number in range(50)))

    def numbers(seed: int) -> tuple[list[int], list[int]]:
        config = CorpusConfig(train=(str(path),), num_sentences=20, num_held_out=5, subset_seed=seed)
        corpus = load_corpus(config)
        train, dev = ([int(s.tokens[0][4:]) for s in part] for part in (corpus.train, corpus.dev))
        return train, dev

    (train, dev), others = numbers(1), numbers(2)
    assert (len(train), len(dev)) == (15, 5)
    assert not set(train) & set(dev)
    assert (train, dev) == (sorted(train), sorted(dev)) == numbers(1)
    assert dev != others[1]
    drawn = load_corpus(CorpusConfig(train=(str(path),), num_sentences=20, subset_seed=1)).train
    assert {sentence.tokens[0] for sentence in drawn} == {f"word{number}" for number in (*train, *dev)}
    with pytest.raises(ValueError, match=r"expected num_held_out below 50 .*, got 50; some must be left"):
        load_corpus(CorpusConfig(train=(str(path),), num_held_out=50))
    with pytest.raises(ValueError, match=r"expected num_held_out below num_sentences \(5\), got 5"):
        CorpusConfig(train=(str(path),), num_held_out=5, num_sentences=5)
    for other in ({"dev": (str(path),)}, {"num_dev": 3}):
        with pytest.raises(ValueError, match="expected num_held_out or a development set, got both"):
            CorpusConfig(train=(str(path),), num_held_out=5, **other)


def test_missing_and_empty_files_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="empty"):
        load_corpus(CorpusConfig(train=(str(tmp_path / "empty.txt"),)))
    with pytest.raises(ValueError, match="no such file"):
        data_path(str(tmp_path / "absent.txt"))
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    with pytest.raises(ValueError, match="export"):
        data_path("$NOT_SET_HERE/train.txt")
    with pytest.raises(ValueError, match=r"^data\.dev: expected a file, got no such file: .*absent\.txt; "):
        load_corpus(CorpusConfig(dev=(str(tmp_path / "absent.txt"),)))

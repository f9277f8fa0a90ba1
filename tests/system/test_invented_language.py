"""An invented language, new in every run, whose entities can be recognised only through the English.

Its words are random letters, its word order is that of English turned round, and the words of an entity in the
test are mostly not in the few labelled sentences. English knows the types by its words: a teacher learns them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from canner.data.corpus import CorpusConfig
from canner.experiment.tagger import TaggerExperiment, train_tagger
from canner.models.convs2s import ConvS2SConfig
from canner.models.tagger import TaggerConfig
from canner.text.alignments import write_alignments
from canner.text.conll import write_conll
from canner.text.entities import Entity
from canner.text.schemes import encode_tags
from canner.text.sentence import Sentence
from canner.training.schedule import TrainingConfig
from canner.training.translator import TranslatorDataConfig, TranslatorExperiment, train_translator
from canner.transfer.aligned import TransferOptions
from canner.transfer.gloss import GlossConfig, train_gloss
from canner.transfer.views import FilesConfig, TransferConfig, ViewConfig

TYPES = ("PER", "LOC", "ORG")
WORDS_OF_TYPE, FILLERS, MARGIN = 24, 30, 25.0


@dataclass(frozen=True)
class Pair:
    """A sentence, its English (labelled too), and the links between them."""

    source: Sentence
    english: Sentence
    links: list[tuple[int, int]]


class Language:
    """A lexicon and a way to draw sentences."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        used: set[str] = set()
        # Letters of the two do not overlap, so that nothing can be copied or guessed from spelling.
        draw = lambda letters: self._word(letters, used)  # noqa: E731
        self.classes = {kind: [draw("aeioulmnr") for _ in range(WORDS_OF_TYPE)] for kind in TYPES}
        self.fillers = [draw("aeioulmnr") for _ in range(FILLERS)]
        english = [word for words in self.classes.values() for word in words] + self.fillers
        self.foreign = {word: draw("bcdfgkpstvz") for word in english}

    def _word(self, letters: str, used: set[str]) -> str:
        while True:
            word = "".join(self.rng.choices(letters, k=5))
            if word not in used:
                used.add(word)
                return word

    def draw(self, share: float) -> Pair:
        """A sentence of the first `share` of every class of words."""
        pick = lambda words: self.rng.choice(words[: max(1, round(share * len(words)))])  # noqa: E731
        units: list[tuple[str, list[str]]] = []
        for _ in range(self.rng.randint(2, 4)):
            units += [("", [pick(self.fillers)]) for _ in range(self.rng.randint(1, 2))]
            kind = self.rng.choice(TYPES)
            units.append((kind, [pick(self.classes[kind]) for _ in range(self.rng.choice((1, 1, 2)))]))
        english, spans, where = _laid_out(list(enumerate(units)))
        turned, source_spans, source_where = _laid_out(list(enumerate(units))[::-1])
        source = [self.foreign[word] for word in turned]
        links = sorted((source_where[key], place) for key, place in where.items())
        return Pair(_labelled(source, source_spans), _labelled(english, spans), links)


def _laid_out(units):
    words, spans, where = [], [], {}
    for number, (kind, parts) in units:
        if kind:
            spans.append(Entity(len(words), len(words) + len(parts), kind))
        for k, word in enumerate(parts):
            where[number, k] = len(words)
            words.append(word)
    return words, spans, where


def _labelled(words: Sequence[str], entities: Sequence[Entity]) -> Sentence:
    return Sentence(tuple(words), tuple(encode_tags(entities, len(words))))


def _lines(path: Path, sentences: Sequence[Sentence]) -> str:
    path.write_text("".join(" ".join(s.tokens) + "\n" for s in sentences), encoding="utf-8")
    return str(path)


class World:
    """The data of one language on disk, a teacher of its English, and the score of the plain tagger."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.rng = random.Random(seed)
        language = Language(self.rng)
        self.parts = {
            "train": [language.draw(0.3) for _ in range(40)],
            "dev": [language.draw(1.0) for _ in range(20)],
            "test": [language.draw(1.0) for _ in range(100)],
        }
        self.parallel = [language.draw(1.0) for _ in range(1200)]
        for name, pairs in self.parts.items():
            write_conll(folder / f"{name}.conll", [pair.source for pair in pairs])
            write_conll(folder / f"{name}.en.conll", [pair.english for pair in pairs])
        write_conll(folder / "teacher.conll", [pair.english for pair in self.parallel[:250]])
        teacher = self.tagger("teacher", train="teacher.conll", ending=".en.conll", epochs=5)
        self.teacher_f1 = self.run(teacher)
        self.plain_f1 = self.run(self.tagger("plain"))

    def tagger(self, name, *, train="train.conll", ending=".conll", epochs=15, transfer=None):
        data = CorpusConfig(
            train=(str(self.folder / train),),
            dev=(str(self.folder / f"dev{ending}"),),
            test=(str(self.folder / f"test{ending}"),),
        )
        return TaggerExperiment(
            name=name,
            data=data,
            transfer=transfer,
            model=TaggerConfig(
                word_dim=24, char_encoder="none", hidden_dim=24, word_dropout=0.2, dropout_aligned=0.1
            ),
            training=TrainingConfig(learning_rate=0.01, max_epochs=epochs),
            batch_size=8,
            seed=self.seed,
        )

    def run(self, experiment: TaggerExperiment) -> float:
        """Test F1 of an experiment."""
        return train_tagger(experiment, self.folder / experiment.name, progress=False).scores["test"]["f1"]

    def can(self, name: str, **view) -> float:
        """Test F1 of a tagger that reads English."""
        transfer = TransferConfig(teacher=str(self.folder / "teacher"), views=(ViewConfig(**view),))
        found = self.run(self.tagger(name, transfer=transfer))
        print(
            f"seed {self.seed}: teacher {self.teacher_f1:.1f}, plain {self.plain_f1:.1f}, {name} {found:.1f}"
        )
        return found

    def files(self, name: str, links) -> FilesConfig:
        """Translations as files, with links that a function makes of a pair."""
        paths = {"source": [], "english": [], "alignments": []}
        for part, pairs in self.parts.items():
            paths["source"].append(_lines(self.folder / f"{part}.xx", [p.source for p in pairs]))
            paths["english"].append(_lines(self.folder / f"{part}.en", [p.english for p in pairs]))
            write_alignments(self.folder / f"{part}.{name}", [links(p) for p in pairs])
            paths["alignments"].append(str(self.folder / f"{part}.{name}"))
        return FilesConfig(**{key: tuple(value) for key, value in paths.items()})


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    seed = time.time_ns() % 10**6
    return World(tmp_path_factory.mktemp("language"), seed)


def test_the_types_are_there_for_the_teacher_only(world):
    assert world.teacher_f1 > 90, f"seed {world.seed}"
    assert world.plain_f1 < 70, f"seed {world.seed}"


def test_through_a_known_translation(world):
    right = world.can("aligned", files=world.files("right", lambda pair: pair.links))
    assert right > world.plain_f1 + MARGIN, f"seed {world.seed}"
    # The same English with links as if no word had moved: what helps is the attention, not English as such.
    straight = world.can("straight", files=world.files("wrong", lambda pair: [(k, k) for k, _ in pair.links]))
    assert right > straight + MARGIN, f"seed {world.seed}"


def test_through_a_word_gloss(world):
    pairs = [(" ".join(p.source.tokens), " ".join(p.english.tokens)) for p in world.parallel[:300]]
    train_gloss(pairs, seed=world.seed, config=GlossConfig()).save(world.folder / "bundle-gloss")
    found = world.can("gloss", translator=str(world.folder / "bundle-gloss"))
    assert found > world.plain_f1 + MARGIN, f"seed {world.seed}"


@pytest.mark.slow
def test_through_a_neural_translator(world):
    data = {}
    for name, pairs in (("train", world.parallel), ("dev", world.parts["dev"])):
        data[f"{name}_source"] = _lines(world.folder / f"parallel-{name}.xx", [p.source for p in pairs])
        data[f"{name}_target"] = _lines(world.folder / f"parallel-{name}.en", [p.english for p in pairs])
    config = TranslatorExperiment(
        data=TranslatorDataConfig(
            source_language="xx",
            source_pieces=500,
            target_pieces=500,
            batch_tokens=400,
            num_translated=2,
            max_pieces=60,
            **data,
        ),
        model=ConvS2SConfig(
            embed_dim=48, hidden_dim=64, encoder_layers=2, decoder_layers=2, dropout=0.05, max_positions=64
        ),
        training=TrainingConfig(
            learning_rate=4e-3,
            clip_norm=1.0,
            schedule="warmup_cosine",
            warmup_steps=20,
            decay_steps=400,
            max_epochs=10,
            metric="accuracy",
        ),
        seed=world.seed,
    )
    train_translator(config, world.folder / "bundle-neural", progress=False)
    found = world.can("neural", translator=str(world.folder / "bundle-neural"), options=TransferOptions())
    assert found > world.plain_f1 + MARGIN, f"seed {world.seed}"

"""A tagger with its vocabularies: batches change nothing, confidences are probabilities, bundles come back."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch

from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.tagger import TaggerConfig
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger, make_model, save_tagger
from canner.text.schemes import decode_tags
from canner.text.sentence import Sentence

SENTENCES = [
    ["Ana", "vive", "en", "La", "Paz"],
    ["hoy"],
    ["El", "señor", "Paz", "habló", "en", "Lima", "con", "Ana"],
    ["Nadie", "sabe"],
]


def make(aligned_dim: int = 0, types: tuple[str, ...] = ("LOC", "PER")) -> SentenceTagger:
    torch.manual_seed(5)
    tags = [tuple(f"S-{types[i % len(types)]}" for i in range(len(words))) for words in SENTENCES]
    labelled = [Sentence(tuple(w), t) for w, t in zip(SENTENCES, tags, strict=True)]
    encoder = TaggingEncoder.build(EncodingConfig(), labelled, words=True, characters=True)
    config = TaggerConfig(word_dim=8, char_channels=6, hidden_dim=5)
    model = make_model(config, encoder, features_dim=0, aligned_dim=aligned_dim)
    with torch.no_grad():  # an untrained tagger finds nothing: make it decided
        model.output.weight.mul_(12)
    return SentenceTagger(model, encoder)


def test_a_sentence_alone_and_in_a_batch_is_tagged_alike() -> None:
    tagger = make(aligned_dim=3)
    aligned = [torch.randn(len(words), 3) for words in SENTENCES]
    together = tagger.entities(SENTENCES, aligned=aligned, confidence=True)
    assert any(together)
    for words, rows, entities in zip(SENTENCES, aligned, together, strict=True):
        alone = tagger.entities([words], aligned=[rows], confidence=True)[0]
        assert alone == entities
        assert [e.score for e in alone] == pytest.approx([e.score for e in entities], abs=1e-5)


def test_confidence_is_the_sum_over_all_tag_sequences() -> None:
    tagger = make(types=("PER",))
    words = ["Ana", "vive", "Paz"]
    entities = tagger.entities([words], confidence=True)[0]
    assert entities
    (_, inputs), *_ = tagger.batches([words])
    with torch.no_grad():
        emissions = tagger.model.emissions(inputs)
        scores = {}
        for sequence in itertools.product(range(len(tagger.tags)), repeat=3):
            tags = torch.tensor([sequence])
            scores[sequence] = float(tagger.model.crf.log_likelihood(emissions, tags, inputs.mask).exp())
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-4)
    for entity in entities:
        wanted = sum(
            probability
            for sequence, probability in scores.items()
            if entity in decode_tags([tagger.tags[i] for i in sequence])
        )
        assert entity.score == pytest.approx(wanted, abs=1e-3)


def test_hidden_states_are_those_of_each_sentence_alone() -> None:
    tagger = make()
    for words, (states, posteriors) in zip(SENTENCES, tagger.hidden_states(SENTENCES), strict=True):
        assert states.shape == (len(words), 10)
        assert posteriors.sum(dim=1).tolist() == pytest.approx([1.0] * len(words), abs=1e-4)
        alone = tagger.hidden_states([words])[0]
        assert torch.allclose(alone[0], states, atol=1e-5)


def test_a_bundle_comes_back_as_it_was(tmp_path: Path) -> None:
    tagger = make()
    save_tagger(tmp_path / "b", tagger, {"scores": {"dev": 1.0}})
    again = load_tagger(tmp_path / "b")
    assert again.tags == tagger.tags
    assert again.entities(SENTENCES) == tagger.entities(SENTENCES)
    assert json.loads((tmp_path / "b" / "config.json").read_text())["scores"] == {"dev": 1.0}


def damage_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:200])


def newer_format(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def weights_of_another(folder: Path) -> None:
    save_tagger(folder / "other", make(types=("PER",)))
    (folder / "other" / "model.safetensors").replace(folder / "model.safetensors")


def no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_weights, "expected whole safetensors"),
        (newer_format, "made by a newer canner"),
        (damage_config, "expected JSON"),
        (weights_of_another, "expected the weights of the model in config.json"),
        (no_config, "found no config.json"),
    ],
)
def test_damaged_bundles_are_refused(damage, message: str, tmp_path: Path) -> None:
    save_tagger(tmp_path / "b", make())
    damage(tmp_path / "b")
    with pytest.raises(ValueError, match=message) as caught:
        load_tagger(tmp_path / "b")
    assert "\n" not in str(caught.value)

"""ConvS2S learns to copy and to reverse, from text files to translations of new sentences, with a fresh seed."""

from __future__ import annotations

import random
import time

import pytest
import torch

from canner.decoding.neural_translator import NeuralTranslator
from canner.models.convs2s import ConvS2SConfig
from canner.training.schedule import TrainingConfig
from canner.training.translator import TranslatorDataConfig, TranslatorExperiment, train_translator

WORDS = ["ba", "co", "di", "fu", "ga", "he", "ji", "ko", "lu", "me", "ni", "po"]
NUM_TRAIN, NUM_DEV, NUM_TEST = 3000, 200, 100


def sentences(rng: random.Random) -> list[tuple[str, ...]]:
    """Distinct random sentences: none of the test is in training."""
    found: dict[tuple[str, ...], None] = {}
    while len(found) < NUM_TRAIN + NUM_DEV + NUM_TEST:
        found[tuple(rng.choices(WORDS, k=rng.randint(3, 7)))] = None
    drawn = list(found)
    rng.shuffle(drawn)
    return drawn


def config(folder, seed: int) -> TranslatorExperiment:
    names = {
        f"{part}_{side}": str(folder / f"{part}.{side}")
        for part in ("train", "dev")
        for side in ("source", "target")
    }
    return TranslatorExperiment(
        data=TranslatorDataConfig(
            source_language="xx",
            source_pieces=100,
            target_pieces=100,
            batch_tokens=320,
            num_translated=2,
            max_pieces=31,
            **names,
        ),
        model=ConvS2SConfig(
            embed_dim=48, hidden_dim=64, encoder_layers=2, decoder_layers=2, dropout=0.05, max_positions=32
        ),
        training=TrainingConfig(
            learning_rate=3e-3,
            clip_norm=1.0,
            schedule="warmup_cosine",
            warmup_steps=20,
            decay_steps=940,
            max_epochs=16,
            average=0.99,
            # near the end alone: an early epoch may be as good on dev, word by word, and end sentences early
            validate_every=900,
            metric="accuracy",
        ),
        seed=seed,
    )


@pytest.mark.parametrize("task", ["copy", "reverse"])
def test_learns(task, tmp_path):
    seed = time.time_ns() % 10**6
    rng = random.Random(seed)
    drawn = sentences(rng)
    answer = (lambda words: words) if task == "copy" else (lambda words: words[::-1])
    parts = {"train": drawn[:NUM_TRAIN], "dev": drawn[NUM_TRAIN : NUM_TRAIN + NUM_DEV]}
    for name, part in parts.items():
        for side, words_of in (("source", tuple), ("target", answer)):
            text = "".join(" ".join(words_of(words)) + "\n" for words in part)
            (tmp_path / f"{name}.{side}").write_text(text, encoding="utf-8")

    train_translator(config(tmp_path, seed), tmp_path / "run", progress=False)
    translator = NeuralTranslator.load(tmp_path / "run").changed({"beam_size": 2})

    test = drawn[NUM_TRAIN + NUM_DEV :]
    translations = translator.translate(test)
    right = [t.target == answer(words) for words, t in zip(test, translations, strict=True)]
    accuracy = sum(right) / len(right)
    links = torch.tensor(
        [
            [float((layer.argmax(1) == where).float().mean()) for layer in t.attention]
            for t, whole in zip(translations, right, strict=True)
            if whole
            for where in [
                torch.arange(len(t.source)) if task == "copy" else torch.arange(len(t.source)).flip(0)
            ]
        ]
    )
    print(f"{task}, seed {seed}: accuracy {accuracy:.2f}, right links by layer {links.mean(0).tolist()}")
    assert accuracy > 0.8, f"seed {seed}"
    # One layer at least looks at the word that it writes: this is what the transfer reads backwards.
    assert float(links.mean(0).max()) > 0.8, f"seed {seed}"

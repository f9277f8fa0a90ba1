"""Why does English cost beside a frozen encoder? The same English, narrower, elsewhere, and the gloss's."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig
from canner.tables.chinese import CHARACTERS, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
from canner.tables.masakhaner import corpus, in_words
from canner.tables.protocols import (
    AT_INPUT,
    COPIED,
    ENCODER,
    GLOSSES,
    LAST,
    TRANSLATORS,
    Protocol,
    comparison,
    view,
    with_english,
)

PLAIN = "Encoder+BiLSTM+CRF"
NARROW = {"model.aligned_projection_dim": 50}
"""What is carried over passes a layer of 50 units first."""


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: English beside an encoder, narrower and elsewhere."""
    text = f"{WEIBO_TEXT}; {OUR_VECTORS}"
    title, data = "Weibo (revised annotation)", weibo("weiboNER_2nd_conll")
    return _encoder("weibo", title, "zh", data, text, protocol, model=CHARACTERS, embeddings=VECTORS)


def on_yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, all training sentences: English beside an encoder, narrower and elsewhere."""
    title, text = "Yoruba (MasakhaNER 2)", in_words("Yoruba")
    return _encoder("yoruba", title, "yo", corpus("yor"), text, protocol, large=True, batch_size=32)


def _encoder(
    name: str,
    title: str,
    language: str,
    data: CorpusConfig,
    text: str,
    protocol: Protocol,
    *,
    model: dict[str, Any] | None = None,
    embeddings: EmbeddingsConfig | None = None,
    large: bool = False,
    batch_size: int = 16,
) -> ComparisonExperiment:
    can_last, gloss = with_english(view(TRANSLATORS[language], LAST)), with_english(view(GLOSSES[language]))
    additions = {
        "CAN_last": can_last,
        "CAN_last, 50 wide": {**can_last, **NARROW},
        "CAN_last at the input": {**can_last, **AT_INPUT},
        "CAN_last with copies at the input": {
            **with_english(view(TRANSLATORS[language], COPIED)),
            **AT_INPUT,
        },
        "CAN_gloss": gloss,
        "CAN_gloss, 50 wide": {**gloss, **NARROW},
        "CAN_gloss at the input": {**gloss, **AT_INPUT},
    }
    contextual = {"embeddings.contextual": [ENCODER]}
    rows = [
        System(name=f"{PLAIN} + {added}", change={**contextual, **change}, baseline=PLAIN)
        for added, change in additions.items()
    ]
    return comparison(
        f"encoder-{name}",
        f"Beside an encoder, {title}",
        protocol,
        data,
        [System(name=PLAIN, change=contextual, baseline=PLAIN), *rows],
        corpus=f"{text}; 50 wide: what is carried over passes a layer of 50 units first",
        model=model,
        embeddings=embeddings,
        large=large,
        batch_size=batch_size,
        headline=False,
    )

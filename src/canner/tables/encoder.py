"""Why does English cost beside a frozen encoder? The same English, narrower, elsewhere, and the gloss's."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
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
    reading,
    view,
)

PLAIN = "Encoder+BiLSTM+CRF"
NARROW = {"model.aligned_projection_dim": 50}
"""What is carried over passes a layer of 50 units first."""


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: English beside an encoder, narrower and elsewhere."""
    text = f"{WEIBO_TEXT}; {OUR_VECTORS}"
    title, options = "Weibo (revised annotation)", {"model": CHARACTERS, "embeddings": VECTORS}
    return _encoder("weibo", title, "zh", weibo("weiboNER_2nd_conll"), text, protocol, **options)


def on_yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, all training sentences: English beside an encoder, narrower and elsewhere."""
    title, options = "Yoruba (MasakhaNER 2)", {"large": True, "batch_size": 32}
    return _encoder("yoruba", title, "yo", corpus("yor"), in_words("Yoruba"), protocol, **options)


def _encoder(
    name: str, title: str, language: str, data: CorpusConfig, text: str, protocol: Protocol, **options: Any
) -> ComparisonExperiment:
    can_last, gloss = reading(view(TRANSLATORS[language], LAST)), reading(view(GLOSSES[language]))
    additions = {
        "CAN_last": can_last,
        "CAN_last, 50 wide": {**can_last, **NARROW},
        "CAN_last at the input": {**can_last, **AT_INPUT},
        "CAN_last with copies at the input": {**reading(view(TRANSLATORS[language], COPIED)), **AT_INPUT},
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
        headline=False,
        **options,
    )

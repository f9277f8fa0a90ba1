"""Why does English cost beside a frozen encoder? The same English, narrower, elsewhere, and the gloss's."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.bundles import ENCODER
from canner.tables.chinese import CHARACTER_VECTORS, OUR_VECTORS
from canner.tables.corpora import WEIBO, YORUBA
from canner.tables.masakhaner import READ
from canner.tables.protocols import Protocol, comparison
from canner.tables.readings import AT_INPUT, readings
from canner.tables.rows import beside, rows_of

PLAIN = "Encoder+BiLSTM+CRF"
NARROW = {"model.aligned_projection_dim": 50}
NARROW_TEXT = "50 wide: what is carried over passes a layer of 50 units first"


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: English beside an encoder, narrower and elsewhere."""
    corpus = WEIBO["revised"]
    return comparison(
        "encoder-weibo",
        f"Beside an encoder, {corpus.title}",
        protocol,
        corpus.data,
        _rows("zh"),
        corpus=f"{corpus.name}; {OUR_VECTORS}; {NARROW_TEXT}",
        model=corpus.model,
        embeddings=CHARACTER_VECTORS,
        headline=False,
    )


def on_yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, all training sentences: English beside an encoder, narrower and elsewhere."""
    return comparison(
        "encoder-yoruba",
        f"Beside an encoder, {YORUBA.title}",
        protocol,
        YORUBA.data,
        _rows("yo"),
        corpus=f"{YORUBA.name}, {READ}; {NARROW_TEXT}",
        large=True,
        headline=False,
    )


def _rows(language: str) -> list[System]:
    """The encoder alone, and English beside it: by which translator, how wide and where."""
    known = readings(language)
    can_last, gloss = known["CAN_last"], known["CAN_gloss"]
    additions = {
        "CAN_last": can_last,
        "CAN_last, 50 wide": {**can_last, **NARROW},
        "CAN_last at the input": {**can_last, **AT_INPUT},
        "CAN_last with copies at the input": known["CAN_last with copies at the input"],
        "CAN_gloss": gloss,
        "CAN_gloss, 50 wide": {**gloss, **NARROW},
        "CAN_gloss at the input": known["CAN_gloss at the input"],
    }
    return rows_of(PLAIN, additions, beside(ENCODER))

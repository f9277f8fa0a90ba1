"""The explain page: tagged sentences, their English and the attention between them, as one HTML file.

The page is self-contained (style, script and data inside, no network), shows every layer's attention, and
lights the partners of the token that is hovered or focused. Style and script are files in `explain_page/`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from canner.text.entities import Entity

Attention = Sequence[Sequence[Sequence[float]]]
"""Nested floats [L][T][S]: layer, English token, source token."""

_KNOWN_TYPES = {"PER": 0, "LOC": 1, "GPE": 1, "ORG": 2, "MISC": 3, "DATE": 4}
_NUM_COLOURS = 8
_DECIMALS = 4


@dataclass(frozen=True)
class Explanation:
    """What the page shows of one sentence.

    `attention[l][t][s]` is the weight of layer `l` on source token `s` while English token `t` was produced;
    `reading_attention` the same while `t` was read as input (None where the translator makes no difference).
    `english` may be empty (a tagger that reads no translation): the page then shows the source alone.
    """

    source: Sequence[str]
    entities: Sequence[Entity]
    english: Sequence[str] = ()
    english_entities: Sequence[Entity] = ()
    attention: Attention = ()
    layer_names: Sequence[str] = ()
    reading_attention: Attention | None = None
    score: float | None = None
    title: str = ""
    layer: int | None = None
    """The layer shown first, counted from 0; None: the last."""

    def __post_init__(self) -> None:
        _check_entities(self.entities, len(self.source), "source")
        _check_entities(self.english_entities, len(self.english), "English")
        shape = (len(self.layer_names), len(self.english), len(self.source))
        _check_attention(self.attention, shape, "attention")
        if self.reading_attention is not None:
            _check_attention(self.reading_attention, shape, "reading_attention")
        if self.layer is not None and not 0 <= self.layer < max(1, shape[0]):
            raise ValueError(f"expected a layer from 1 to {shape[0]}, got {self.layer + 1} (counted from 1)")


def explain_html(result: Explanation | Sequence[Explanation], *, title: str = "canner") -> str:
    """Render one or several explanations as a self-contained HTML page.

    Args:
        result: what to show, in this order.
        title: title of the page; each sentence has its own in `Explanation.title`.

    Returns:
        The page; it holds no lone surrogates, so it can be written as UTF-8.
    """
    explanations = [result] if isinstance(result, Explanation) else list(result)
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_script_hash(script)}'"
    sentences = "\n".join(_article(index, explanation) for index, explanation in enumerate(explanations))
    count = "1 sentence" if len(explanations) == 1 else f"{len(explanations)} sentences"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{_escape(title)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{_escape(title)}</h1>
<p>{count}. Point at a token, or focus it and walk with the arrow keys: its partners in the other sentence
light up, the stronger the attention. A click or Enter holds the light, Escape lets go.</p>
</header>
<main>
{sentences}
</main>
<script type="application/json" id="explanations">{_data_json(explanations)}</script>
<script>{script}</script>
</body>
</html>
"""


def _article(index: int, explanation: Explanation) -> str:
    title = explanation.title or f"Sentence {index + 1}"
    parts = [f'<article class="explanation" data-index="{index}">', f"<h2>{_escape(title)}</h2>"]
    parts.append(_side("source", "Source", explanation.source, explanation.entities))
    if explanation.english:
        label = "English, as the teacher read it"
        parts.append(_side("english", label, explanation.english, explanation.english_entities))
        parts.append('<p class="status" aria-live="polite"></p>')
    else:
        parts.append('<p class="none">No translation was read for this sentence.</p>')
    if explanation.english and explanation.layer_names:
        parts.append(_controls(index, explanation))
        parts.append('<div class="map" role="region" aria-label="Attention map"></div>')
    if explanation.score is not None:
        parts.append(f'<p class="facts">Translation: log probability per piece {explanation.score:.2f}</p>')
    return "\n".join([*parts, "</article>"])


def _side(side: str, label: str, tokens: Sequence[str], entities: Sequence[Entity]) -> str:
    """One sentence: a group of focusable tokens, the entities among them boxed and labelled."""
    starts = {entity.start: entity for entity in entities}
    pieces: list[str] = []
    position = 0
    while position < len(tokens):
        entity = starts.get(position)
        end = entity.end if entity else position + 1
        words = " ".join(_token(i, tokens[i]) for i in range(position, end))
        pieces.append(_entity(entity, words) if entity else words)
        position = end
    body = " ".join(pieces) or '<span class="none">(empty)</span>'
    return (
        f'<section><h3>{label}</h3>\n<div class="tokens" role="group" dir="auto" aria-label="{label}" '
        f'data-side="{side}">{body}</div></section>'
    )


def _token(index: int, text: str) -> str:
    return f'<span class="token" data-i="{index}">{_escape(text if text.strip() else "␣")}</span>'


def _entity(entity: Entity, words: str) -> str:
    colour = _colour(entity.type)
    score = "" if entity.score is None else f' <span class="score">{_percent(entity.score)}</span>'
    name = f'<span class="type" dir="ltr">{_escape(entity.type)}{score}</span>'
    return f'<span class="entity c{colour}" data-type="{_escape(entity.type)}">{words} {name}</span>'


def _controls(index: int, explanation: Explanation) -> str:
    names = list(explanation.layer_names)
    shown = len(names) - 1 if explanation.layer is None else explanation.layer
    options = [
        f'<option value="{i}"{" selected" if i == shown else ""}>{_escape(name)}</option>'
        for i, name in enumerate(names)
    ]
    if len(names) > 1:
        options.append('<option value="mean">mean of all layers</option>')
    control = f'<label>Attention of <select class="layer">{"".join(options)}</select></label>'
    if explanation.reading_attention is not None:
        choices = (("produced", "produced", " checked"), ("read", "read", ""))
        radios = "".join(
            f'<label><input type="radio" name="reading-{index}" value="{value}"{checked}> {text}</label>'
            for value, text, checked in choices
        )
        control += f"<fieldset><legend>while the English token is</legend>{radios}</fieldset>"
    return f'<div class="controls">{control}</div>'


def _data_json(explanations: Sequence[Explanation]) -> str:
    """What the script reads; `<`, `>` and `&` are written as escapes: no token can close the element."""
    data = [
        {
            "source": list(explanation.source),
            "english": list(explanation.english),
            "attention": _rounded(explanation.attention),
            "reading": _rounded(reading) if (reading := explanation.reading_attention) is not None else None,
        }
        for explanation in explanations
    ]
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # ensure_ascii: surrogates stay escapes
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _rounded(attention: Attention) -> list[list[list[float]]]:
    """Four decimals, and whole numbers as integers: sparse attention of long sentences stays small."""
    return [[[_short(weight) for weight in row] for row in layer] for layer in attention]


def _short(weight: float) -> float:
    value = round(float(weight), _DECIMALS)
    return int(value) if value.is_integer() else value


def _colour(entity_type: str) -> int:
    """A colour number for a type: fixed for the usual ones, else from a hash that never changes."""
    base = entity_type.split(".")[0].upper()  # Weibo's PER.NAM and PER.NOM look like PER
    if base in _KNOWN_TYPES:
        return _KNOWN_TYPES[base]
    return hashlib.sha256(entity_type.encode("utf-8", "replace")).digest()[0] % _NUM_COLOURS


def _percent(score: float) -> str:
    return f"{100 * score:.0f}&#8239;%"


def _escape(text: str) -> str:
    """Escape for HTML text and attributes; lone surrogates, which UTF-8 cannot hold, become U+FFFD."""
    return html.escape(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), quote=True)


def _asset(name: str) -> str:
    return (resources.files("canner") / "explain_page" / name).read_text(encoding="utf-8")


def _script_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _check_entities(entities: Sequence[Entity], length: int, side: str) -> None:
    end = 0
    for entity in sorted(entities):
        if not 0 <= entity.start < entity.end <= length:
            raise ValueError(
                f"expected {side} entities within {length} tokens, got {entity}; give token positions"
            )
        if entity.start < end:
            raise ValueError(
                f"expected {side} entities that do not overlap, got {entity} starting before token {end}"
            )
        end = entity.end


def _check_attention(attention: Attention, shape: tuple[int, int, int], name: str) -> None:
    layers, rows, columns = shape
    ok = len(attention) == layers and all(
        len(layer) == rows and all(len(row) == columns for row in layer) for layer in attention
    )
    if not ok:
        raise ValueError(
            f"expected {name} of {layers} layers × {rows} English × {columns} source tokens, "
            "got another shape; give nested lists [L][T][S] and one layer name a layer"
        )

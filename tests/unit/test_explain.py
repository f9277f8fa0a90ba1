"""The explain page: its structure, what it escapes, the data it carries, and the light in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.explain import Explanation, explain_html
from canner.text.entities import Entity

SOURCE = ["Bilbao", ":", "habla", "Kofi", "Annan"]
ENGLISH = ["Bilbao", ":", "Kofi", "Annan", "speaks"]
FIRST = [[1.0 if s == t else 0.0 for s in range(5)] for t in range(5)]
LAST = [
    [0.9, 0.1, 0, 0, 0],
    [0.2, 0.7, 0, 0, 0],
    [0, 0, 0.05, 0.8, 0.1],
    [0, 0, 0, 0.25, 0.7],
    [0, 0, 0.6, 0, 0],
]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


def example(**changes: object) -> Explanation:
    values: dict[str, object] = {
        "source": SOURCE,
        "entities": [Entity(0, 1, "LOC", 0.98), Entity(3, 5, "PER", 0.5)],
        "english": ENGLISH,
        "english_entities": [Entity(2, 4, "PER", 0.9)],
        "attention": [FIRST, LAST],
        "layer_names": ["layer 1", "layer 2"],
        "reading_attention": [LAST, FIRST],
        "score": -0.53,
        "title": "An example",
    }
    return Explanation(**(values | changes))  # type: ignore[arg-type]


class Reader(HTMLParser):
    """Collects the elements, the text of tokens, and the scripts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tokens: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self._inside = "token" if attributes.get("class") == "token" else tag
        if self._inside == "token":
            self.tokens.append("")
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "token":
            self.tokens[-1] += data
        if self._inside == "script":
            self.scripts[-1] += data

    def classes(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


def test_page_shows_both_sentences_and_their_entities() -> None:
    page = Reader(explain_html(example()))
    assert page.tokens == SOURCE + ENGLISH
    assert [a["data-type"] for a in page.classes("entity")] == ["LOC", "PER", "PER"]
    assert [a.get("data-side") for a in page.classes("tokens")] == ["source", "english"]
    options = [a["value"] for tag, a in page.elements if tag == "option"]
    assert options == ["0", "1", "mean"]
    assert [a["value"] for tag, a in page.elements if tag == "input"] == ["produced", "read"]


def test_confidence_is_shown_where_there_is_one() -> None:
    page = explain_html(example(english_entities=[Entity(2, 4, "PER")]))
    assert page.count("98&#8239;%") == 1
    assert page.count('class="score"') == 2


def test_page_needs_no_network() -> None:
    page = explain_html(example())
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<link|@import|\bsrc=|url\(", page)


def test_data_in_the_page_equals_the_input() -> None:
    data = json.loads(Reader(explain_html([example(), example(reading_attention=None)])).scripts[0])
    assert [d["source"] for d in data] == [SOURCE, SOURCE]
    assert data[0]["english"] == ENGLISH
    assert data[0]["attention"] == [FIRST, LAST]
    assert data[0]["reading"] == [LAST, FIRST]
    assert data[1]["reading"] is None


def test_one_layer_without_reading_has_no_idle_switches() -> None:
    page = Reader(explain_html(example(attention=[LAST], layer_names=["gloss"], reading_attention=None)))
    assert [a["value"] for tag, a in page.elements if tag == "option"] == ["0"]
    assert not [tag for tag, _ in page.elements if tag == "input"]


def test_without_translation_the_page_shows_the_source_alone() -> None:
    page = explain_html(Explanation(SOURCE, [Entity(0, 1, "LOC", 0.98)]))
    assert Reader(page).tokens == SOURCE
    assert "No translation" in page
    assert "<select" not in page


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=4), st.text(max_size=8)
)
def test_any_text_is_escaped(tokens: list[str], title: str) -> None:
    attention = [[[1.0] * len(tokens)] * len(tokens)]
    entities = [Entity(0, 1, title or "X", 0.5)]
    result = Explanation(tokens, entities, tokens, [], attention, ["one"], title=title)
    page = explain_html(result, title=title)
    page.encode("utf-8")
    reader = Reader(page)
    assert json.loads(reader.scripts[0])[0]["source"] == tokens
    assert len(reader.scripts) == 2
    newlines = re.compile(r"\r\n?")  # the one change that parsing HTML makes to text
    shown = [re.sub(r"[\x00\ud800-\udfff]", "�", newlines.sub("\n", t)) for t in tokens]
    assert [newlines.sub("\n", t).replace("\x00", "�") for t in reader.tokens] == shown * 2


def test_hostile_tokens_stay_text() -> None:
    hostile = ["<script>alert(1)</script>", "</script><img src=x onerror=alert(2)>", "&lt;", "\ud800", " "]
    page = explain_html(
        Explanation(hostile, [Entity(0, 1, '"><b>')], hostile, [], [[[0.2] * 5] * 5], ["<i>"])
    )
    reader = Reader(page)
    assert reader.tokens == [*hostile[:3], "�", "␣"] * 2
    assert len(reader.scripts) == 2
    assert not {tag for tag, _ in reader.elements} & {"img", "b", "i"}
    assert json.loads(reader.scripts[0])[0]["source"] == hostile


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entities": [Entity(4, 6, "PER")]}, "within 5 tokens"),
        ({"entities": [Entity(0, 2, "PER"), Entity(1, 3, "LOC")]}, "do not overlap"),
        ({"attention": [FIRST]}, "2 layers × 5 English × 5 source"),
        ({"reading_attention": [FIRST, LAST[:4]]}, "reading_attention"),
        ({"layer": 2}, r"layer from 1 to 2, got 3"),
    ],
)
def test_wrong_input_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example(**changes)


def run_in_browser(page: str, script: str, folder: Path) -> dict[str, object]:
    """Run a script in the page with headless Chromium; it returns an object, read from the dumped page."""
    # The page gets the focus only after it has loaded: hence the wait, in the browser's virtual time.
    driver = f"""<script>setTimeout(() => document.body.append(Object.assign(document.createElement("pre"),
        {{id: "answer", textContent: JSON.stringify((function () {{ {script} }})())}})),
        300)</script></body>"""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", page)  # it would refuse the driver
    path = folder / "page.html"
    path.write_text(page.replace("</body>", driver), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    command = [str(CHROMIUM), *options, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    answer = re.search(r'<pre id="answer">(.*?)</pre>', run.stdout, re.DOTALL)
    assert answer, run.stderr[-2000:]
    return json.loads(answer[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


TOOLS = """
const token = (side, i) => document.querySelectorAll(`[data-side=${side}] .token`)[i];
const fire = (element, type) => element.dispatchEvent(new MouseEvent(type, {bubbles: true}));
const key = (element, name) => element.dispatchEvent(
  new KeyboardEvent("keydown", {key: name, bubbles: true}));
const lit = (root) => Object.fromEntries(Array.from(document.querySelectorAll(root + " .lit"))
  .map((e) => [e.dataset.i ?? e.textContent, Number(e.style.getPropertyValue("--w"))]));
const answer = {};
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_hovering_lights_the_partners(tmp_path: Path) -> None:
    script = (
        TOOLS
        + """
fire(token("source", 3), "mouseenter"); answer.source = lit("[data-side=english]");
answer.header = lit(".map"); answer.numbers = token("english", 2).dataset.weight;
answer.status = document.querySelector(".status").textContent;
fire(token("source", 3), "mouseleave"); answer.left = lit("body");
fire(token("english", 2), "mouseenter"); answer.english = lit("[data-side=source]");
const rows = document.querySelectorAll(".map tbody th");
rows[4].focus(); answer.row = lit("[data-side=english]"); key(rows[4], "ArrowUp");
answer.walked = lit("[data-side=english]"); document.activeElement.blur();
fire(document.querySelectorAll(".map td")[16], "mouseenter");
answer.cell = document.querySelector(".status").textContent;
fire(token("source", 0), "click"); fire(token("source", 0), "mouseleave");
answer.held = lit("[data-side=english]");
key(token("source", 0), "Escape"); answer.released = lit("body");
return answer;
"""
    )
    answer = run_in_browser(explain_html(example()), script, tmp_path)
    assert answer["source"] == {"2": 0.8, "3": 0.25}
    assert answer["header"] == {"Kofi": 0.8, "Annan": 0.25}
    assert answer["numbers"] == "0.80"
    assert answer["status"] == "“Kofi” is attended by Kofi 0.80 · Annan 0.25 (total 1.05)"
    assert answer["left"] == {}
    assert answer["english"] == {"2": 0.05, "3": 0.8, "4": 0.1}
    assert answer["row"] == {"2": 0.1, "3": 0.7}
    assert answer["walked"] == {"2": 0.8, "3": 0.25}
    assert answer["cell"] == ": → Kofi: 0.0000"
    assert answer["held"] == {"0": 0.9, "1": 0.2}
    assert answer["released"] == {}


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_selectors_change_the_map(tmp_path: Path) -> None:
    script = (
        TOOLS
        + """
const select = document.querySelector("select"); const read = document.querySelector("input[value=read]");
const change = (control) => control.dispatchEvent(new Event("change"));
const cell = () => document.querySelectorAll(".map td")[0].style.getPropertyValue("--w");
answer.last = cell(); read.checked = true; change(read); answer.read = cell();
select.value = "0"; change(select); answer.readFirst = cell();
select.value = "mean"; change(select); answer.mean = cell();
const group = document.querySelector("[data-side=source]");
answer.direction = getComputedStyle(group).direction;
token("source", 0).focus(); key(token("source", 0), "ArrowLeft");
answer.focus = document.activeElement.dataset.i;
return answer;
"""
    )
    arabic = ["زار", "أحمد", "علي", "مدينة", "الإسكندرية"]
    answer = run_in_browser(explain_html(example(source=arabic)), script, tmp_path)
    assert answer["last"] == "0.900"
    assert answer["read"] == "1.000"
    assert answer["readFirst"] == "0.900"
    assert answer["mean"] == "0.950"
    assert answer["direction"] == "rtl"
    assert answer["focus"] == "1"  # in a right-to-left sentence the next token lies to the left

"""Rules of the house that no linter knows: equations, lengths, docstrings, paths."""

from __future__ import annotations

import ast
import builtins
import json
import re
import runpy
import shutil
import subprocess
import symtable
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from canner.experiment.results_schema import Results
from canner.report.gains import gains
from canner.report.markers import BEGIN, END
from canner.report.page import figures_of_bundle, results_in_brief, results_page
from canner.report.table import table
from canner.tables import planned_results
from canner.tables.by_labels import BY_LABELS

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "src" / "canner"
SOURCES = sorted(LIBRARY.rglob("*.py"))
EQUATIONS = list(range(1, 14))
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60
# "path::function" → why this function may be longer
LONG_FUNCTIONS: dict[str, str] = {
    "training/translator.py::train_translator": "signature, docstring, and a straight list of steps",
}

TEXTS = {path: path.read_text(encoding="utf-8") for path in SOURCES}
TREES = {path: ast.parse(text) for path, text in TEXTS.items()}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name_of(path: Path) -> str:
    return path.relative_to(LIBRARY).as_posix()


def tracked_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listing.decode("utf-8").split("\0") if name]


def test_each_equation_is_implemented_exactly_once() -> None:
    recipe = runpy.run_path(str(ROOT / "recipes" / "build_equations.py"))
    places = [(place.equation, f"{name_of(place.path)}: {place.name}") for place in recipe["find_places"]()]
    counts = Counter(equation for equation, _ in places)
    wrong = {n: [place for m, place in places if m == n] for n in {*EQUATIONS, *counts} if counts[n] != 1}
    assert not wrong, f"equations not named exactly once: {wrong}"
    assert sorted(counts) == EQUATIONS == list(recipe["EQUATIONS"])
    mentions = sum(len(recipe["TAG"].findall(text)) for text in TEXTS.values())
    assert mentions == len(places), "an equation is named outside a docstring"


def test_the_page_of_equations_is_current() -> None:
    recipe = runpy.run_path(str(ROOT / "recipes" / "build_equations.py"))
    page = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
    assert page == recipe["render"](recipe["find_places"]()), "run python recipes/build_equations.py"


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for inner in table.get_children():
        yield from scopes(inner)


def undefined_names(text: str) -> set[str]:
    """Names that a module reads and nothing defines; ruff and mypy do not look, since shapes look like names."""
    module = symtable.symtable(text, "module", "exec")
    known = {*dir(builtins), "__file__"}
    for scope in scopes(module):
        known |= {
            s.get_name()
            for s in scope.get_symbols()
            if s.is_assigned() and (s.is_global() or scope is module)
        }
    known |= {s.get_name() for s in module.get_symbols() if s.is_imported() or s.is_namespace()}
    read = {
        s.get_name()
        for scope in scopes(module)
        for s in scope.get_symbols()
        if s.is_referenced() and (s.is_global() or scope is module)
    }
    return read - known


def test_every_name_is_defined() -> None:
    assert undefined_names("def f():\n    return g\nx = y\n") == {"g", "y"}
    assert (
        undefined_names("import a\ndef f(b):\n    global c\n    c = len(b)\n    return a.d, c, f\n") == set()
    )
    missing = {name_of(path): undefined_names(text) for path, text in TEXTS.items()}
    assert not {name: names for name, names in missing.items() if names}


def test_files_are_short() -> None:
    lengths = {name_of(path): len(text.splitlines()) for path, text in TEXTS.items()}
    assert not {name: length for name, length in lengths.items() if length > MAX_FILE_LINES}


def test_functions_are_short_or_give_a_reason() -> None:
    long = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    long[f"{name_of(path)}::{node.name}"] = length
    assert set(long) == set(LONG_FUNCTIONS), long


def test_no_work_is_left_as_a_note() -> None:
    note = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [
        f"{name_of(path)}:{number}"
        for path, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
        if note.search(line)
    ]
    assert not found


def test_public_definitions_have_docstrings() -> None:
    missing = []
    for path, tree in TREES.items():
        if tree.body and not ast.get_docstring(tree):
            missing.append(name_of(path))
        for node in tree.body:
            if isinstance(node, Definition) and not node.name.startswith("_") and not ast.get_docstring(node):
                missing.append(f"{name_of(path)}::{node.name}")
    assert not missing


def test_the_library_does_not_import_recipes_or_tests() -> None:
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules.append(node.module)
            if any(module.split(".")[0] in {"recipes", "tests", "benchmarks"} for module in modules):
                wrong.append(name_of(path))
    assert not wrong


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    folders = "|".join(["home", "root", "work", "Users"])
    absolute = re.compile(rf"(?<![\w./~$}}-])/(?:{folders})/[\w.]")
    wrong = []
    for path in tracked_files():
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{path.relative_to(ROOT)}: {match.group()}" for match in absolute.finditer(text)]
    assert not wrong


def test_links_between_our_pages_lead_somewhere() -> None:
    broken = []
    for path in tracked_files():
        if path.suffix != ".md" or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)} → {target}")
    assert not broken


def test_the_tables_in_the_readme_are_those_of_the_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split(BEGIN)[1].split(END)[0].strip("\n")
    figures = [f"docs/figures/{path.name}" for path in (ROOT / "docs" / "figures").glob("*.svg")]
    assert shown == results_in_brief(ROOT / "results", figures, planned_results(), BY_LABELS), (
        "run canner report"
    )


def test_results_files_that_are_read_and_written_again_say_the_same(tmp_path: Path) -> None:
    for path in (ROOT / "results").glob("*.json"):
        if not path.stem.endswith("-speed"):
            Results.read(path).save(tmp_path / path.name)
            assert json.loads((tmp_path / path.name).read_text()) == json.loads(path.read_text()), path


def test_the_page_of_results_is_that_of_the_results() -> None:
    figures = sorted(path.name for path in (ROOT / "docs" / "figures").glob("*.svg"))
    pictures = [f"figures/{name}" for name in figures]
    page = results_page(ROOT / "results", pictures, planned_results(), BY_LABELS)
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8").strip() == page.strip(), (
        "run canner report"
    )


@pytest.mark.parametrize(
    "card", sorted((ROOT / "models").glob("*/README.md")), ids=lambda card: card.parent.name
)
def test_the_figures_on_the_cards_are_those_of_the_results(card: Path) -> None:
    shown = card.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip("\n")
    assert shown == figures_of_bundle(ROOT / "results", f"models/{card.parent.name}"), "run canner report"


FIGURE = re.compile(r"(?<![\d.])([+-]?)(\d+\.\d\d)(?!\d)")
INTERVAL = re.compile(r"\[[^\]]*\]")


def figures_in(text: str) -> set[str]:
    """Figures with two decimals, with their sign; those of an interval in its brackets, since they are no gains."""
    text = text.replace("−", "-")
    said = {sign + digits for sign, digits in FIGURE.findall(INTERVAL.sub("", text))}
    ends = (FIGURE.findall(interval) for interval in INTERVAL.findall(text))
    return said | {f"[{sign}{digits}]" for found in ends for sign, digits in found}


def figures_of(results: list[Results]) -> set[str]:
    """What may be said of results: what their tables show but for spreads, gains without their sign, too."""
    shown = "".join(table(result) for result in results) + gains(results)
    said = figures_in(re.sub(r"± \d+\.\d\d", "", shown))
    said |= {figure.lstrip("+-") for figure in said}
    for paper in (result.paper or {} for result in results):
        for system, figures in paper.items():
            plain = paper.get(system.partition(" + ")[0])
            if plain is not None and plain is not figures and "f1" in figures:
                said.add(f"{figures['f1'] - plain['f1']:+.2f}")
    return said


def sections(page: str) -> dict[str, str]:
    """The text below each heading of a page, by heading."""
    parts = re.split(r"(?m)^(?=#+ )", (ROOT / page).read_text(encoding="utf-8"))
    return {part.partition("\n")[0].lstrip("# "): part for part in parts if part}


FINDINGS = sections("docs/findings.md")


@pytest.mark.parametrize("heading", [heading for heading, text in FINDINGS.items() if "\nTables: " in text])
def test_the_figures_of_a_section_stand_in_the_tables_that_it_names(heading: str) -> None:
    text, named = FINDINGS[heading].split("\nTables: ")
    said = figures_in(text)
    shown = {
        pattern: figures_of([Results.read(path) for path in (ROOT / "results").glob(f"{pattern}.json")])
        for pattern in re.findall(r"`([^`]+)`", named)
    }
    left = said.difference(*shown.values())
    assert not left
    assert not [pattern for pattern, figures in shown.items() if not said & figures]


def test_every_section_with_figures_names_its_tables() -> None:
    introduction, *others = FINDINGS.values()
    assert len(others) >= 20
    assert not [text.partition("\n")[0] for text in others if figures_in(text) and "\nTables: " not in text]
    level = {"0.05"}  # of significance
    assert figures_in(introduction) - level <= figures_in("".join(others))


def test_the_figures_of_the_readme_stand_in_the_findings() -> None:
    before, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(BEGIN)
    said = figures_in(before + rest.partition(END)[2])
    assert said
    assert said <= figures_in("".join(FINDINGS.values()))


@pytest.mark.parametrize(
    "config", sorted(ROOT.glob("models/*/config.json")), ids=lambda path: path.parent.name
)
def test_bundles_that_ship_refer_to_bundles_beside_them(config: Path) -> None:
    referred = re.findall(r'"((?:\.\./|/)[^"]*)"', config.read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\.\./[\w-]+", path) for path in referred), referred
    assert all((config.parent / path / "config.json").is_file() for path in referred), referred
    assert bool(referred) == (config.parent.name.endswith(("-aligner", "-can"))), referred

"""Results as Markdown, built from the JSON files that the experiments left: `docs/results.md`, the gains in the README.

Figures of one bundle alone stand on its card too.

A results file holds `name`, `title`, `rows` (`system`, `metrics` of `mean`, `sd`, `values`, and `seeds`) and
says where its figures come from: `data`, `protocol`, `command`, `hardware`, `date`; `paper` may hold the
paper's figures as {system: {metric: number}}. docs/data.md has all keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from canner.data.bundle import save_text
from canner.legend import GAINS_LEGEND, LEGEND, SYSTEMS_LEGEND, legend_of
from canner.speed_tables import speed_tables
from canner.system_tables import cell, gains, table

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"
NO_RESULTS = "No results yet."
_HEAD = f"""# Results

Built by `canner report` from the files in [`results/`](../results); do not edit. F1, precision and recall are
entity-level, in percent, as `conlleval` counts; `±` is the standard deviation over the runs. A stand-in is named as
such, and what has not been run says so.

{LEGEND}
"""


class Planned(NamedTuple):
    """A results file that there will be once its command has run."""

    name: str
    title: str
    command: str


def table_with_legend(path: Path) -> list[str]:
    """One results file's table, and what its words mean; lines.

    Raises:
        ValueError: if it is not a results file.
    """
    shown = table(read_results(path))
    legend = legend_of(shown)
    return [*shown.splitlines(), *(["", legend] if legend else [])]


def report(folder: Path, figures: Sequence[str] = (), planned: Sequence[Planned] = ()) -> str:
    """Results of a folder as Markdown: the gains, the tables that are planned in their order, others by name.

    Args:
        folder: of results files.
        planned: what there should be; where there is some of it, the rest is listed as not run.
        figures: pictures to show, as paths seen from the page, each under the table whose name it has.

    Raises:
        ValueError: if a file is not a results file, or two have one name.
    """
    results = _results(folder, planned)
    found = {result["name"] for result in results}
    missing = [entry for entry in planned if entry.name not in found]
    missing = missing if len(missing) < len(planned) else []  # a folder of other results
    parts = (
        [f"### Gains over the plain tagger\n\n{lines}\n\n{GAINS_LEGEND}"] if (lines := gains(results)) else []
    )
    pictures = {Path(path).stem: path for path in figures}
    for result in results:
        parts.append(table(result))
        if result["name"] in pictures:
            parts.append(_picture(result, pictures[result["name"]]))
    if missing:
        left = [f"- {cell(entry.title)}: `{entry.command}`" for entry in missing]
        parts.append("\n".join(["### Not run", "", *left]))
    return "\n\n".join(parts) if parts else NO_RESULTS


def report_of_gains(folder: Path, figures: Sequence[str] = (), planned: Sequence[Planned] = ()) -> str:
    """What the README shows of the results of a folder: the gains in brief, and pictures; see `report`."""
    results = _results(folder, planned)
    parts = [f"{lines}\n\n{GAINS_LEGEND} {SYSTEMS_LEGEND}"] if (lines := gains(results, briefly=True)) else []
    pictures = {Path(path).stem: path for path in figures}
    parts += [_picture(result, pictures[result["name"]]) for result in results if result["name"] in pictures]
    return "\n\n".join(parts) if parts else NO_RESULTS


def results_page(folder: Path, figures: Sequence[str] = (), planned: Sequence[Planned] = ()) -> str:
    """The whole page of results, with links to its tables; see `report`."""
    speed = speed_tables(folder)
    tables = f"{report(folder, figures, planned)}\n" + (
        f"\n## Speed and memory\n\n{speed}\n" if speed else ""
    )
    headings = [line.lstrip("# ") for line in tables.splitlines() if line.startswith("### ")]
    links = [f"- [{heading}](#{_anchor(heading)})" for heading in headings]
    return "\n".join([_HEAD, *links, "", tables])


def _anchor(heading: str) -> str:
    """Where a heading is found in its page, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _picture(result: Mapping[str, Any], path: str) -> str:
    return f"![{cell(result['title'])}]({path})"


def read_results(path: Path) -> dict[str, Any]:
    """Read and check one results file.

    Raises:
        ValueError: if the file is not JSON or lacks what a table needs.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected JSON in {path}, got {error}; run its command again") from error
    if not isinstance(result, dict) or not isinstance(result.get("rows"), list):
        raise ValueError(
            f"expected an object with 'name', 'title' and 'rows' in {path}; run its command again"
        )
    for key in ("name", "title"):
        if not isinstance(result.get(key), str):
            raise ValueError(f"expected a text {key!r} in {path}, got {result.get(key)!r}")
    for row in result["rows"]:
        if not isinstance(row, dict) or "system" not in row or not isinstance(row.get("metrics"), dict):
            raise ValueError(f"expected rows with 'system' and 'metrics' in {path}, got {str(row)[:80]}")
        if not isinstance(row["system"], str):
            raise ValueError(f"expected a text 'system' in {path}, got {str(row['system'])[:80]}")
    systems = [row["system"] for row in result["rows"]]
    for row in result["rows"]:
        if "against" in row and not (
            isinstance(row["against"], dict) and row["against"].get("system") in systems
        ):
            raise ValueError(
                f"expected 'against' to name another row in {path}, got {str(row['against'])[:80]}"
            )
    try:
        table(result), gains([result])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected all that a table shows in {path}, got {type(error).__name__}: {error}; run its command again"
        ) from None
    return result


def update_readme(readme: Path, text: str) -> bool:
    """Put the text between the markers of a README; return whether that changed the file.

    Raises:
        ValueError: if the markers are not there, once each and in order.
    """
    before, after = around_markers(readme)
    return _save_if_new(readme, f"{before}{BEGIN}\n{text}\n{END}{after}")


def figures_of_bundle(folder: Path, bundle: str) -> str:
    """What all results say of one bundle alone (a translator, say), for its card; "" if they say nothing.

    Args:
        folder: of results files.
        bundle: its path as rows that score a bundle name it, "models/zh-en".
    """
    parts = []
    for result in _results(folder):
        if own := [row for row in result["rows"] if row.get("bundle") == bundle]:
            parts.append(table({**result, **own[0].get("made", {}), "rows": own}))  # made by one command
    return "\n\n".join(parts)


def update_card(card: Path, text: str) -> bool:
    """Put figures on a bundle's card, at its end or where they stood ("": take them off); return whether it changed.

    Raises:
        ValueError: if a marker of the two is missing or stands there twice; the card is as it was.
    """
    content = card.read_text(encoding="utf-8")
    marked = BEGIN in content or END in content
    before, after = around_markers(card) if marked else (f"{content.rstrip()}\n\n", "\n")
    if text:
        return _save_if_new(card, f"{before}{BEGIN}\n{text}\n{END}{after}")
    return marked and _save_if_new(card, f"{before.rstrip()}\n{after.lstrip()}")


def _save_if_new(path: Path, updated: str) -> bool:
    is_new = updated != path.read_text(encoding="utf-8")
    if is_new:
        save_text(path, updated)
    return is_new


def around_markers(path: Path) -> tuple[str, str]:
    """What stands in a file before and after the two markers between which results are shown.

    Raises:
        ValueError: if there is no such file, or the markers are not there, once each and in order.
    """
    if not path.is_file():
        raise ValueError(f"expected a file with the markers {BEGIN} and {END}, got no such file: {path}")
    content = path.read_text(encoding="utf-8")
    if content.count(BEGIN) != 1 or content.count(END) != 1 or content.index(BEGIN) > content.index(END):
        raise ValueError(f"expected the markers {BEGIN} and {END} once each in {path}; put them back")
    before, rest = content.split(BEGIN)
    return before, rest.split(END)[1]


def _results(folder: Path, planned: Sequence[Planned] = ()) -> list[dict[str, Any]]:
    """Contents of the results files: those that are planned in that order, others after them by name."""
    results: dict[str, dict[str, Any]] = {}
    for path in _files(folder):
        result = read_results(path)
        if result["name"] in results:
            raise ValueError(
                f"expected one results file a name, got {result['name']!r} again in {path}; keep one of the two"
            )
        results[result["name"]] = result
    first = [entry.name for entry in planned if entry.name in results]
    return [results[name] for name in dict.fromkeys([*first, *sorted(results)])]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of results, got {folder}; run an experiment or name the folder")
    # Figures of benchmarks lie here too; they are no tables of systems.
    return sorted(path for path in folder.glob("*.json") if not path.stem.endswith("-speed"))

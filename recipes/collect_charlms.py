"""What the character language models came to: bits per character on held-out text, minutes, machine.

    python recipes/collect_charlms.py runs/charlm-de runs/charlm-es

Writes results/charlms.json from what the trainings left in their folders; rows of other models stay.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from canner.experiment.results import digests, results_made_now, summarise, weights_of
from canner.experiment.results_schema import Made, Results, Row
from canner.experiment.scored_rows import made_in_all
from canner.training.run_files import ENVIRONMENT, LOG, TRAINING

RESULTS = Path(__file__).resolve().parents[1] / "results"

FILES = (TRAINING, ENVIRONMENT, LOG)


def row(run: Path) -> Row:
    """The figures of the model that was kept, the best on the held-out text."""
    config, environment = (
        json.loads((run / name).read_text(encoding="utf-8")) for name in (TRAINING, ENVIRONMENT)
    )
    steps = [json.loads(line) for line in (run / LOG).read_text(encoding="utf-8").splitlines()]
    best = min(steps, key=lambda step: float(step["bits_per_char"]))
    figures = {
        "bits per character": best["bits_per_char"],
        "forward": best["bits_per_char_forward"],
        "backward": best["bits_per_char_backward"],
        "steps": best["step"],
        "minutes": best["minutes"],
    }
    name = f"{run.name}, 2 × {config['model']['hidden_dim']}"
    files = digests([Path(config["data"]["train"]), weights_of(run)])
    made = Made(hardware=environment["hardware"], date=environment["date"], files=files)
    return summarise(name, {f"seed {config['seed']}": figures}).model_copy(update={"made": made})


def main() -> None:
    """Collects the runs that are named."""
    runs = [Path(argument) for argument in sys.argv[1:]]
    if missing := [str(run) for run in runs if not all((run / name).exists() for name in FILES)] or (
        [] if runs else ["none"]
    ):
        raise SystemExit(f"expected folders of trainings of character language models, got {missing[0]}")
    path = RESULTS / "charlms.json"
    rows = {found.system: found for found in (Results.read(path).rows if path.exists() else ())}
    rows |= {found.system: found for found in map(row, runs)}
    content = results_made_now(
        name="charlms",
        title="Character language models",
        rows=[rows[name] for name in sorted(rows)],
        data="source sides of our parallel text (English: newswire); the last 200,000 characters held out",
        protocol="an LSTM in each direction, Adam, a rate that decays over the minutes of one processor core",
        command=shlex.join(["python", *sys.argv]),
    )
    content.model_copy(update=made_in_all(content.rows)).save(path)


if __name__ == "__main__":
    main()

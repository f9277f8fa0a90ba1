"""Run an experiment of these recipes, or its smoke twin: everything alike, but minutes instead of hours.

    python recipes/run.py                                  # list them
    python recipes/run.py spanish --print            # its configuration, every key
    python recipes/run.py spanish --smoke -o /tmp/s  # does it run at all?
    CANNER_DATA=../shared/data python recipes/run.py spanish

Results go to the folder of the run, and without --smoke to results/NAME.json too.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import torch

import spanish
import swahili
import weibo
from canner.data.bundle import save_json
from canner.experiment.comparison import ComparisonExperiment, run_comparison
from canner.experiment.toml import to_toml

RECIPES: dict[str, Callable[[], ComparisonExperiment]] = {
    "spanish": spanish.few_labels,
    "swahili": swahili.gloss,
    "weibo": weibo.weibo,
    "weibo.original": weibo.weibo_original,
}
RESULTS = Path(__file__).resolve().parents[1] / "results"


def smoke(experiment: ComparisonExperiment) -> ComparisonExperiment:
    """The twin that only shows that everything fits together: few sentences, one epoch, one seed."""
    data = experiment.base.data.model_copy(update={"num_sentences": 20, "num_dev": 10})
    training = experiment.base.training.model_copy(update={"max_epochs": 1, "min_epochs": 0})
    model = experiment.base.model.model_copy(update={"hidden_dim": 8})
    base = experiment.base.model_copy(update={"data": data, "training": training, "model": model})
    changes = {"base": base, "budgets": (), "subset_seeds": (0,), "seeds": (1,)}
    return experiment.model_copy(update={**changes, "name": f"{experiment.name}-smoke"})


def main() -> None:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="?", choices=sorted(RECIPES))
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--print", action="store_true", dest="show")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--systems", nargs="+", help="only these rows; a later run without it keeps theirs")
    arguments = parser.parse_args()
    if arguments.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:<22} {(recipe.__doc__ or '').splitlines()[0]}")
        return
    experiment = RECIPES[arguments.name]()
    if arguments.systems:
        chosen = tuple(system for system in experiment.systems if system.name in arguments.systems)
        experiment = experiment.model_copy(update={"systems": chosen})
    if arguments.smoke:
        experiment = smoke(experiment)
    if arguments.show:
        print(to_toml(experiment))
        return
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = arguments.output or Path("runs") / experiment.name
    command = shlex.join(["python", "recipes/run.py", *sys.argv[1:]])
    results = run_comparison(experiment, folder, command=command)
    if not arguments.smoke and not arguments.systems:
        save_json(RESULTS / f"{experiment.name}.json", results)


if __name__ == "__main__":
    main()

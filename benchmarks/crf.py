"""The CRF beside pytorch-crf: the same numbers, and how much faster.

Run: `python benchmarks/crf.py` (needs pytorch-crf; `--json FILE` writes the figures).
Each round times both libraries one after the other, so that a busy machine slows both; the ratio of a task is
that of the shortest times, and `median ratio` that of the middle one of all rounds.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchcrf
from torch import Tensor

from canner.nn.crf import CRF
from canner.nn.masking import lengths_to_mask

BATCH, TAGS, TOLERANCE = 32, 17, 1e-4


def _milliseconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return 1000 * (time.perf_counter() - start)


def compare(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> dict[str, float]:
    """Time two tasks in turns."""
    for _ in range(3):
        ours(), theirs()
    pairs = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(rounds)]
    best_ours, best_theirs = (min(column) for column in zip(*pairs, strict=True))
    return {
        "canner_ms": best_ours,
        "pytorch_crf_ms": best_theirs,
        "ratio": best_theirs / best_ours,
        "median_ratio": statistics.median(b / a for a, b in pairs),
    }


def _learn(crf: CRF | torchcrf.CRF, emissions: Tensor, tags: Tensor, mask: Tensor) -> list[Tensor]:
    """Log likelihood of each sentence and the gradient of everything."""
    if isinstance(crf, CRF):
        likelihood = crf.log_likelihood(emissions, tags, mask)
    else:
        likelihood = crf(emissions, tags, mask=mask, reduction="none")
    learned = [emissions, crf.transitions, crf.start_transitions, crf.end_transitions]
    return [likelihood.detach(), *torch.autograd.grad(likelihood.sum(), learned)]


def _largest_difference(found: list[Tensor], expected: list[Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))


def measure(num_steps: int, rounds: int, *, full: bool) -> dict[str, Any]:
    """Compare both libraries on one batch of sentences, all of `num_steps` tokens or up to that."""
    torch.manual_seed(num_steps)
    ours, theirs = CRF(TAGS), torchcrf.CRF(TAGS, batch_first=True)
    theirs.load_state_dict({name: values.detach() for name, values in ours.state_dict().items()})
    lengths = torch.full((BATCH,), num_steps) if full else torch.randint(1, num_steps + 1, (BATCH,))
    lengths[0] = num_steps
    mask = lengths_to_mask(lengths)
    tags = torch.randint(0, TAGS, mask.shape)
    emissions = torch.randn(BATCH, num_steps, TAGS, requires_grad=True)

    def decode_ours() -> list[list[int]]:
        rows = ours.viterbi(emissions, mask)[0].tolist()
        return [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]

    def decode_theirs() -> list[list[int]]:
        with torch.no_grad():
            return theirs.decode(emissions, mask=mask)

    # The other library in double precision is the reference for both.
    exact = _learn(copy.deepcopy(theirs).double(), emissions.detach().double().requires_grad_(), tags, mask)
    differences = {
        "canner": _largest_difference(_learn(ours, emissions, tags, mask), exact),
        "pytorch_crf": _largest_difference(_learn(theirs, emissions, tags, mask), exact),
    }
    same_paths = decode_ours() == decode_theirs()
    if differences["canner"] > TOLERANCE or not same_paths:
        raise SystemExit(
            f"expected the same numbers, got differences {differences}, same paths: {same_paths}"
        )
    return {
        "batch": BATCH,
        "steps": num_steps,
        "tags": TAGS,
        "lengths": "full" if full else "mixed",
        "largest_difference_to_double": differences,
        "likelihood_and_gradient": compare(
            lambda: _learn(ours, emissions, tags, mask), lambda: _learn(theirs, emissions, tags, mask), rounds
        ),
        "viterbi": compare(decode_ours, decode_theirs, rounds),
    }


def main() -> None:
    """Print a table, and write the figures when asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30, help="how often each task is timed")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = [measure(steps, arguments.rounds, full=full) for steps in (64, 128) for full in (True, False)]
    print(f"{'task':<26}{'S':>5} {'lengths':<8}{'canner':>10}{'pytorch-crf':>13}{'ratio':>8}{'median':>8}")
    for result in results:
        for task in ("likelihood_and_gradient", "viterbi"):
            times = result[task]
            print(
                f"{task:<26}{result['steps']:>5} {result['lengths']:<8}{times['canner_ms']:>8.2f}ms"
                f"{times['pytorch_crf_ms']:>11.2f}ms{times['ratio']:>7.1f}x{times['median_ratio']:>7.1f}x"
            )
    for name in ("canner", "pytorch_crf"):
        worst = max(result["largest_difference_to_double"][name] for result in results)
        print(f"largest difference to pytorch-crf in double precision, {name}: {worst:.1e}")
    if arguments.json:
        summary = {"torch": torch.__version__, "threads": arguments.threads, "results": results}
        arguments.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""`canner tag` on files of two lengths: tokens per second, and peak memory, which must not grow with the file.

Run: `python benchmarks/tagging.py` (`--json FILE` writes the figures). Each file is tagged by a process of its own;
start-up and loading, measured on a file of one line, are taken off before the speeds are computed.
Beside the clock stand processor seconds, which a busy machine does not disturb.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

from canner.text.conll import read_conll

MODELS = Path(__file__).resolve().parents[1] / "models"


def lines() -> list[str]:
    """The sentences of the demonstration corpus as text."""
    folder = resources.files("canner") / "demo_data" / "es"
    with resources.as_file(folder) as path:
        return [sentence.text for sentence in read_conll(path / "test.conll")]


def tag(bundle: Path, source: Path, threads: int) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak megabytes of one process that tags a file."""
    command = [sys.executable, "-m", "canner", "tag", str(bundle), str(source)]
    command += ["-f", "jsonl", "-o", f"{source}.out"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--quiet", "--threads", str(threads)])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"canner tag failed with status {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=MODELS / "es-can")
    parser.add_argument(
        "--repeat", type=int, nargs=2, default=[5, 40], help="lengths, in demonstration corpora"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    texts = lines()
    num_tokens = sum(len(text.split()) for text in texts)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "text.txt"
        source.write_text(texts[0] + "\n", encoding="utf-8")
        loading, loading_work, _ = tag(arguments.bundle, source, arguments.threads)
        figures["loading_seconds"] = loading
        for name, repeat in zip(("short", "long"), arguments.repeat, strict=True):
            source.write_text("\n".join(texts * repeat) + "\n", encoding="utf-8")
            seconds, work, megabytes = tag(arguments.bundle, source, arguments.threads)
            figures[f"{name}_tokens"] = num_tokens * repeat
            figures[f"{name}_tokens_per_second"] = num_tokens * repeat / max(1e-9, seconds - loading)
            tokens_of_work = num_tokens * repeat / max(1e-9, work - loading_work)
            figures[f"{name}_tokens_per_processor_second"] = tokens_of_work
            figures[f"{name}_peak_megabytes"] = megabytes
    figures["memory_ratio"] = figures["long_peak_megabytes"] / figures["short_peak_megabytes"]
    for name, value in figures.items():
        print(f"{name:<34} {value:,.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

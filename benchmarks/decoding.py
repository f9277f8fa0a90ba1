"""Beam search with incremental state beside full re-computation of the prefix at every step.

Run: `python benchmarks/decoding.py` (`--json FILE` writes the figures, `--device cuda` if there is one).
Both use the same search, the same random ConvS2S of the size of canner's own translators, and cached weight
normalisation; they must give the same outputs. The re-computation is a kind one: it asks only for the logits of
the last position. Every output has exactly `--length` tokens. Each round times both one after the other; on the
CPU by the processor time of this process, so that other processes do not count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from canner.decoding.beam import beam_search
from canner.decoding.constraints import Constraints
from canner.decoding.step import ConvS2SStep, Hypothesis, StepFunction
from canner.models.convs2s import ConvS2S, ConvS2SConfig, EncoderOutput

PIECES, BOS, EOS = 8000, 1, 2

Prefixes = tuple[EncoderOutput, Tensor]


class FullStep:
    """A step function without memory: the decoder reads the whole prefix again."""

    def __init__(self, model: ConvS2S, encoded: EncoderOutput) -> None:
        self.model, self.encoded = model, encoded

    def start(self) -> Prefixes:
        prefixes = torch.zeros(
            len(self.encoded.keys), 1, 0, dtype=torch.long, device=self.encoded.keys.device
        )
        return self.encoded, prefixes

    def step(self, ids: Tensor, state: Prefixes) -> tuple[Tensor, Prefixes]:
        encoded, before = state
        prefixes = torch.cat([before, ids[..., None]], dim=2)
        sentences = torch.arange(len(ids), device=ids.device).repeat_interleave(ids.shape[1])
        hidden, _ = self.model.decoder.hidden_states(prefixes.flatten(0, 1), encoded.select(sentences))
        logits = self.model.decoder.finish(hidden[:, -1])
        return torch.log_softmax(logits, dim=-1).view(*ids.shape, -1), (encoded, prefixes)

    def select(self, state: Prefixes, sentences: Tensor, hypotheses: Tensor) -> Prefixes:
        encoded, prefixes = state
        return encoded.select(sentences), prefixes[sentences[:, None], hypotheses]


def translate(
    function: StepFunction, batch: int, length: int, beam_size: int, device: str
) -> list[Hypothesis]:
    """Outputs of exactly `length` tokens."""
    forbidden = torch.zeros(PIECES, dtype=torch.bool, device=device)
    forbidden[[0, BOS, EOS]] = True
    constraints = Constraints(
        eos_id=EOS,
        forbidden=forbidden,
        max_length=torch.full((batch,), length + 1, device=device),
        slot_ids=torch.zeros(0, dtype=torch.long, device=device),
        slot_limit=torch.zeros(batch, 0, dtype=torch.long, device=device),
    )
    return beam_search(
        function,
        num_sentences=batch,
        bos_id=BOS,
        constraints=constraints,
        beam_size=beam_size,
        length_penalty=1.0,
    )


@torch.inference_mode()
def compare(*, batch: int, length: int, beam_size: int, rounds: int, device: str) -> dict[str, float]:
    """Seconds of both ways for a batch, and their ratio."""
    torch.manual_seed(0)
    model = ConvS2S(ConvS2SConfig(), num_source_pieces=PIECES, num_target_pieces=PIECES).to(device).eval()
    source = torch.randint(4, PIECES, (batch, length), device=device)
    mask = torch.ones_like(source, dtype=torch.bool)
    now = time.process_time if device == "cpu" else time.perf_counter
    seconds: dict[type, list[float]] = {ConvS2SStep: [], FullStep: []}
    outputs: dict[type, list[Hypothesis]] = {}
    for _ in range(rounds + 1):
        for kind, measured in seconds.items():
            start = now()
            with parametrize.cached():
                function = kind(model, model.encode(source, mask))
                outputs[kind] = translate(function, batch, length, beam_size, device)
            measured.append(now() - start)
    same = [a.tokens == b.tokens for a, b in zip(outputs[ConvS2SStep], outputs[FullStep], strict=True)]
    assert all(len(output.tokens) == length for found in outputs.values() for output in found)
    incremental, full = (measured[1:] for measured in seconds.values())  # the first round warms up
    return {
        "batch": batch,
        "target_tokens": length,
        "beam_size": beam_size,
        "incremental_s": min(incremental),
        "full_s": min(full),
        "ratio": min(full) / min(incremental),
        "median_ratio": statistics.median(f / i for i, f in zip(incremental, full, strict=True)),
        "sentences_per_s": batch / min(incremental),
        "same_outputs": sum(same) / len(same),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--length", type=int, default=40, help="target tokens")
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16], help="sentences in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    figures = [
        compare(
            batch=batch,
            length=options.length,
            beam_size=options.beam_size,
            rounds=options.rounds,
            device=options.device,
        )
        for batch in options.batch
    ]
    for line in figures:
        print("  ".join(f"{name} {value:.4g}" for name, value in line.items()))
    if options.json:
        result = {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": options.device}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result | {"decoding": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

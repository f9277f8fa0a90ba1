"""The files of a run's folder, beside those of the bundle that it becomes."""

from __future__ import annotations

EXPERIMENT = "experiment.toml"
"""The configuration from which the run can be repeated."""
TRAINING = "training.json"
"""The configuration of a translator, an aligner or a character language model, as its training took it."""
ENVIRONMENT = "environment.json"
"""Machine, versions, date and command."""
INPUTS = "inputs.json"
"""The digests of what a tagger's run reads."""
RESUME = "resume.safetensors"
"""From which an unfinished training goes on."""
LOG = "log.jsonl"
"""A line a validation."""
FIT = "fit.json"
"""How the training ended."""
METRICS = "metrics.json"
"""How a tagger's run ended, and its scores on dev and test."""
COUNTS = "counts.json"
"""True positives, predicted and gold entities of each sentence of dev and test."""
STORES = "stores"
"""Folder of what was computed once for each sentence, of a run or shared by several."""

OF_TRAINING = (EXPERIMENT, TRAINING, ENVIRONMENT, INPUTS, RESUME, LOG, FIT, METRICS, COUNTS, STORES)
"""All of them: what only the training of a bundle needs, or tells of it. They are no part of what the bundle does."""

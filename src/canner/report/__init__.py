"""Results as Markdown and pictures, built from the JSON files that the experiments left.

A results file holds `name`, `title`, `rows` (`system`, `metrics` of `mean`, `sd`, `values`, and `seeds`) and
says where its figures come from: `data`, `protocol`, `command`, `hardware`, `date`; `paper` may hold the
paper's figures as {system: {metric: number}}. docs/results-files.md has all keys.
"""

"""Experiments: a full configuration, its runs, its results."""

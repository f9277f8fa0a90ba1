"""What a results file and a run folder say of the machine."""

import pytest
import torch

from canner.experiment.results import environment, hardware


def test_a_run_names_what_it_computed_on_and_not_what_the_machine_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {"cuda": "the first", "cuda:1": "the second"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", names.__getitem__)
    assert "CPU" in hardware()
    assert "CPU" in environment("cpu")["hardware"]
    assert environment("cuda")["hardware"] == "the first"
    assert environment("cuda:1")["hardware"] == "the second"

"""Precision is timed where it is left open, on the CPU, in trainings that are long enough."""

import pytest
import torch
from torch import nn

from surrogate_nas.training import half_precision as module
from surrogate_nas.training.half_precision import resolved_precision
from surrogate_nas.training.settings import TrainingSettings

CPU = torch.device("cpu")
BATCH = (torch.randn(8, 1, 8, 8), torch.arange(8) % 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(144, 2)
    )


@pytest.mark.parametrize(("half", "expected"), [(0.5, "bfloat16"), (0.95, "float32"), (3.0, "float32")])
def test_the_clearly_quicker_one_is_taken(monkeypatch: pytest.MonkeyPatch, half: float, expected: str) -> None:
    seconds = {"bfloat16": half, "float32": 1.0}
    monkeypatch.setattr(module, "_seconds", lambda _network, _settings, precision, _batch: seconds[precision])
    monkeypatch.setattr(module, "_may_be_quicker", lambda: True)
    assert resolved_precision(network(), TrainingSettings(precision="auto"), 1000, BATCH, CPU) == expected
    # Other work on the machine may make it look quicker.
    monkeypatch.setattr(module, "_may_be_quicker", lambda: False)
    assert resolved_precision(network(), TrainingSettings(precision="auto"), 1000, BATCH, CPU) == "float32"


def test_what_is_set_is_not_timed_and_short_trainings_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(*_: object) -> float:
        raise AssertionError("it was timed")

    monkeypatch.setattr(module, "_seconds", timed)
    for precision in ("bfloat16", "float32"):
        settings = TrainingSettings.model_validate({"precision": precision})
        assert resolved_precision(network(), settings, 1000, BATCH, CPU) == precision
    assert resolved_precision(network(), TrainingSettings(precision="auto"), 100, BATCH, CPU) == "float32"


def test_timing_changes_neither_the_network_nor_random_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_may_be_quicker", lambda: True)
    one = network()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    state = torch.get_rng_state()
    assert resolved_precision(one, TrainingSettings(precision="auto"), 1000, BATCH, CPU) in ("bfloat16", "float32")
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in one.state_dict().items())
    assert all(parameter.grad is None for parameter in one.parameters())

"""The place where processes meet; two processes that meet are tested with what they do together."""

from pathlib import Path

import pytest
import torch

from surrogate_nas._processes import process_group
from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import Processes
from surrogate_nas.errors import TrainingError

CPU = torch.device("cpu")


def test_a_process_alone_waits_for_nobody() -> None:
    with Meeting().held(CPU, lambda: True) as came:
        assert came
        assert not torch.distributed.is_initialized()


def test_a_stop_ends_the_wait(tmp_path: Path) -> None:
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    with Meeting(tmp_path / "meeting", Processes(0, 2)).held(CPU, stopped) as came:
        assert not came
        assert not torch.distributed.is_initialized()
    assert asked == [False, False, True]


def test_the_wait_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "PATIENCE_SECONDS", 0.2)
    meeting = Meeting(tmp_path / "meeting", Processes(1, 2))
    with pytest.raises(TrainingError, match="1 of 2 processes"), meeting.held(CPU, lambda: False):
        pass

"""Work for shared trials, in a module that worker processes can import."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from surrogate_nas.errors import TrainingError
from surrogate_nas.search.trainings.shared_trials import Trained, TrainTask


def value_of(task: TrainTask) -> float:
    """Returns the outcome of a task."""
    return int(task.code) % 97 + task.epochs / 7


@dataclass(frozen=True)
class NoWork:
    """Returns the outcome without work, and leaves a mark each time that it is started.

    Attributes:
        marks: Folder of the marks.
        kills: Its process is killed this many times, each time at the task that ends in this digit.
        digit: That digit.
        fails: Tasks that end in this digit raise.
        seconds: Time that it takes.
    """

    marks: Path
    kills: int = 0
    digit: str = "-"
    fails: str = "-"
    seconds: float = 0.0

    def __call__(self, task: TrainTask, report: Callable[[int], None], stopped: Callable[[], bool]) -> Trained | None:
        begun = len(list(self.marks.glob(f"{task.code}.*")))
        (self.marks / f"{task.code}.{begun}").touch()
        report(task.epochs)
        if task.code.endswith(self.digit) and begun < self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if task.code.endswith(self.fails):
            raise TrainingError(f"the loss of {task.code} is nan")
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            if stopped():
                return None
            time.sleep(0.01)
        return Trained(value_of(task), 1.5, task.epochs)

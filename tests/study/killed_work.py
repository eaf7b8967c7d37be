"""Trainings whose worker process is killed, in a module that worker processes can import."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from surrogate_nas.search.trainings.shared_trials import Trained, TrainTask
from surrogate_nas.study.stages.network_trainings import NetworkWork


class KilledEach(NetworkWork):
    """The first process that takes a task is killed once a checkpoint is there."""

    def __call__(self, task: TrainTask, report: Callable[[int], None], stopped: Callable[[], bool]) -> Trained | None:
        mark = self.mark(task)
        if mark.exists():
            return super().__call__(task, report, stopped)
        steps: list[int] = []
        super().__call__(task, steps.append, lambda: len(steps) == 3)
        assert mark.with_name(f"{task.code}-{task.epochs}.safetensors").exists()
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    def mark(self, task: TrainTask) -> Path:
        """Returns a file that says that a process was killed."""
        return self.job.checkpoint.with_name(f"{task.code}.killed")


class KilledOnce(KilledEach):
    """The same for the first task of all."""

    def mark(self, task: TrainTask) -> Path:
        """Returns a file that says that a process was killed, whatever the task."""
        folder = self.job.checkpoint.parent
        with FileLock(folder / ".once"):
            chosen = folder / ".chosen"
            if not chosen.exists():
                chosen.write_text(task.code)
            # Others continue as if they had been killed already.
            return folder / f"{task.code}.killed" if chosen.read_text() == task.code else folder / ".chosen"

"""Runs the study command in a child process that is killed at a named point, as kill -9 would.

python killer.py FILE POINT ARGUMENT...: FILE receives the ids of the worker processes at that moment. The point is in the
environment for worker processes, which run this file again.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINT, REPORT = "KILLER_POINT", "KILLER_REPORT"
STEP = 20  # of a training, at which a worker acts


def kill() -> None:
    """Ends this process at once."""
    workers = [str(worker.pid) for worker in multiprocessing.active_children()]
    Path(os.environ[REPORT]).write_text(" ".join(workers), encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, when: Callable[..., bool]) -> None:
    """Kills before a call of a function whose arguments are such."""
    original = getattr(owner, name)

    def patched(*args: Any, **options: Any) -> Any:
        if when(*args, **options):
            kill()
        return original(*args, **options)

    setattr(owner, name, patched)


def replacing(file: str) -> None:
    """Kills when a file is complete under its temporary name and is about to take its place."""
    before(Path, "replace", lambda _temporary, target: Path(target).name == file)


def advancing(title: str) -> None:
    """Kills once a bar of progress has got anywhere, but not to its end."""
    from surrogate_nas.study import console

    original = console._logged_tenths

    def patched(begun: str) -> Callable[[int, int], None]:
        inner = original(begun)

        def advance(done: int, total: int) -> None:
            if begun.startswith(title) and 0 < done < total:
                kill()
            inner(done, total)

        return advance

    console._logged_tenths = patched


def second_append() -> None:
    """Kills when some labels are kept and others are not."""
    from surrogate_nas.labels.store import LabelStore

    before(LabelStore, "append", lambda store, _batch: len(store) > 0)


def measuring_winners() -> None:
    """Kills when finalists are about to be measured."""
    from surrogate_nas.hardware.costs import CompositeCosts

    before(CompositeCosts, "measure_architectures", lambda *_: True)


# In the order of the stages.
POINTS: dict[str, Callable[[], None]] = {
    "reading images": lambda: advancing("images"),
    "measuring costs": lambda: advancing("costs"),
    "beginning": lambda: replacing("study.toml"),
    "keeping images": lambda: replacing("splits.json"),
    "keeping costs": lambda: replacing("costs.parquet"),
    "labels": second_append,
    "predictor": lambda: advancing("predictor"),
    "keeping predictor": lambda: replacing("predictor.json"),
    "search": lambda: advancing("search"),
    "winners": measuring_winners,
    "lookup table": lambda: replacing("lookup.csv"),
    "best": lambda: replacing("architecture.json"),
    "report": lambda: replacing("report.html"),
}
IN_WORKERS = {
    "supernets": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "interrupt": lambda: os.kill(os.getppid(), signal.SIGINT),
    "interrupt and hang": lambda: (os.kill(os.getppid(), signal.SIGINT), time.sleep(60)),
}


def at_a_step(action: Callable[[], Any]) -> None:
    """In a worker: does something once a training has kept a checkpoint of some steps."""
    from surrogate_nas.supernet import training

    save = training.save_checkpoint

    def patched(path: Path, checkpoint: Any, identity: Any) -> None:
        save(path, checkpoint, identity)
        if checkpoint.step == STEP:
            Path(os.environ[REPORT]).write_text(str(os.getpid()), encoding="utf-8")
            action()
            time.sleep(1)  # for the main process to say that it has noticed

    training.save_checkpoint = patched


if __name__ == "__main__":
    os.environ[REPORT], os.environ[POINT] = sys.argv[1:3]
    sys.argv[1:] = sys.argv[3:]
    if os.environ[POINT] in POINTS:
        POINTS[os.environ[POINT]]()
    from surrogate_nas.study.__main__ import main

    sys.exit(main())
elif os.environ.get(POINT) in IN_WORKERS:
    at_a_step(IN_WORKERS[os.environ[POINT]])

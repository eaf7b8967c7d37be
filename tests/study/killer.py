"""Runs the study command in child processes that are killed at named points, as kill -9 would.

python killer.py FILE POINT,POINT,... ARGUMENT...

FILE is where a process that is about to be killed leaves the ids of its workers. What happened at each point is the
last line of standard error. The point is also in the environment, for worker processes, which run this file again.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POINT, REPORT = "KILLER_POINT", "KILLER_REPORT"
STEP = 20  # of a training, at which a worker acts


def kill() -> None:
    """Ends this process at once."""
    workers = [str(worker.pid) for worker in multiprocessing.active_children()]
    Path(os.environ[REPORT]).write_text(" ".join(workers), encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: object, name: str, when: Callable[..., bool]) -> None:
    """Kills before a call of a function whose arguments are such."""
    original = getattr(owner, name)

    def patched(*args: object, **options: object) -> object:
        if when(*args, **options):
            kill()
        return original(*args, **options)

    setattr(owner, name, patched)


def replacing(file: str) -> None:
    """Kills when a file is complete under its temporary name and is about to take its place."""
    before(Path, "replace", lambda _temporary, target: Path(target).name == file)


def advancing(stage: str) -> None:
    """Kills once a bar of progress has got anywhere, but not to its end."""
    from surrogate_nas.runs.console import StudyConsole

    original = StudyConsole.progress

    @contextmanager
    def patched(console: StudyConsole, title: str) -> Iterator[Callable[[int, int], None]]:
        with original(console, title) as inner:

            def advance(done: int, total: int) -> None:
                if title.startswith(stage) and 0 < done < total:
                    kill()
                inner(done, total)

            yield advance

    setattr(StudyConsole, "progress", patched)  # noqa: B010 - as before() does


def second_append() -> None:
    """Kills when some labels are kept and others are not."""
    from surrogate_nas.labels.store import LabelStore

    before(LabelStore, "append", lambda store, _batch: len(store) > 0)


def measuring_finalists() -> None:
    """Kills when finalists are about to be measured."""
    from surrogate_nas.hardware.cost_models import CompositeCosts

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
    "finalists": measuring_finalists,
    "lookup table": lambda: replacing("lookup.csv"),
    "best": lambda: replacing("architecture.json"),
    "report": lambda: replacing("report.html"),
}


def kill_at_a_step() -> None:
    """Kills the main process from a worker once a training has kept a checkpoint of some steps."""
    from surrogate_nas.supernet import training
    from surrogate_nas.supernet.checkpoint import Checkpoint, save_checkpoint

    def patched(path: Path, checkpoint: Checkpoint, identity: Mapping[str, str]) -> None:
        save_checkpoint(path, checkpoint, identity)
        if checkpoint.step == STEP:
            Path(os.environ[REPORT]).write_text(str(os.getpid()), encoding="utf-8")
            os.kill(os.getppid(), signal.SIGKILL)

    setattr(training, "save_checkpoint", patched)  # noqa: B010 - its own import of it


def alive(worker: str) -> bool:
    """Returns whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{worker}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def run_point(point: str) -> dict[str, Any]:
    """Runs the command until the point: what ended it, and which of its workers outlived it by more than moments."""
    from surrogate_nas.cli.study import main

    os.environ[POINT] = point
    report = Path(os.environ[REPORT])
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        if point in POINTS:
            POINTS[point]()
        os._exit(main())
    _, status = os.waitpid(child, 0)
    workers = report.read_text(encoding="utf-8").split() if report.exists() else []
    until = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    return {
        "point": point,
        "hit": report.exists(),
        "code": os.waitstatus_to_exitcode(status),
        "workers": len(workers),
        "outlived": [worker for worker in workers if alive(worker)],
    }


if __name__ == "__main__":
    # Imported once, here, for all children.
    import surrogate_nas.report.json_file
    import surrogate_nas.study.report.outcome
    import surrogate_nas.study.run  # noqa: F401

    os.environ[REPORT] = sys.argv[1]
    points, sys.argv[1:] = sys.argv[2].split(","), sys.argv[3:]
    print(json.dumps([run_point(point) for point in points]), file=sys.__stderr__)
elif os.environ.get(POINT) == "supernets":
    kill_at_a_step()

"""Tasks for tests of workers: in a module of their own, without torch, that worker processes import in no time.

Run as a program it is a main process to be signalled: ``worker_tasks.py FOLDER``.
"""

import multiprocessing.util
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from surrogate_nas import errors
from surrogate_nas._processes.local_workers import LocalWorkers

Report = Callable[[int], None]
Stopped = Callable[[], bool]


def double(job: int, report: Report, stopped: Stopped) -> int:
    """Returns the double of a job; the later the job, the sooner it ends."""
    report(job)
    time.sleep(max(0.0, 0.2 - job / 50))
    return 2 * job


def until_stopped(job: int, report: Report, stopped: Stopped) -> str:
    report(1)
    while not stopped():
        time.sleep(0.005)
    return f"job {job} stopped"


def end_slowly(seconds: float, report: Report, stopped: Stopped) -> None:
    """Makes its process take some seconds to end."""
    multiprocessing.util.Finalize(None, time.sleep, args=(seconds,), exitpriority=0)
    time.sleep(0.3)  # so that another process takes the next job


def fail_or_wait(job: str, report: Report, stopped: Stopped) -> None:
    """Raises the error of a name; without one, waits to be stopped and leaves a file of the name behind the slash."""
    if not job.startswith("/"):
        raise getattr(errors, job)(f"message of {job}: with (brackets) and 100%")
    until_stopped(0, report, stopped)
    Path(job).touch()


def die(job: str, report: Report, stopped: Stopped) -> None:
    report(1)
    if job == "exit":
        os._exit(3)
    if job == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    until_stopped(0, report, stopped)
    Path(job).touch()


def count_to(number: int, report: Report, stopped: Stopped) -> int:
    """Counts slowly."""
    for each in range(number):
        report(each + 1)
        time.sleep(0.1)
    return number


def count_and_sign(job: tuple[str, int], report: Report, stopped: Stopped) -> int:
    """Counts slowly, with a file named after its process and its job; returns the number of the process."""
    folder, number = job
    (Path(folder) / f"{os.getpid()}.{len(list(Path(folder).iterdir()))}").touch()
    count_to(number, report, stopped)
    return os.getpid()


def bytes_of(job: bytes, report: Report, stopped: Stopped) -> bytes:
    """Returns as many bytes as a job has."""
    return bytes(len(job))


def visible_gpus(job: int, report: Report, stopped: Stopped) -> str:
    """Returns the GPUs that its process may use."""
    time.sleep(0.5)  # so that another process takes the next job
    return os.environ.get("CUDA_VISIBLE_DEVICES", "")


def die_once(job: tuple[str, int], report: Report, stopped: Stopped) -> int:
    """Returns a number; before that, ends its process unless a file shows that it did so before."""
    mark, number = job
    if mark and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def hold(job: str, report: Report, stopped: Stopped) -> None:
    """Holds a lock on a file for as long as the process lives, and never listens to a stop."""
    file = Path(job).open("w")  # noqa: SIM115 - open until the process ends
    import fcntl  # on systems that have it

    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(str(os.getpid()))
    file.flush()
    report(1)
    while True:
        time.sleep(60)


def main(folder: Path, task: str) -> None:
    """Works until SIGINT or SIGTERM, and says on standard output how that ended."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: asked.append(number))
    results: dict[int, str | None] = {}

    def progress(done: int) -> None:
        (folder / "progress").write_text(str(done))

    jobs = [str(folder / f"{position}.lock") for position in range(2)]
    with LocalWorkers(2) as workers:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        workers.run(
            {"hold": hold, "until_stopped": until_stopped}[task],  # type: ignore[arg-type]
            jobs,
            on_result=results.__setitem__,
            on_progress=progress,
            should_stop=lambda: bool(asked),
        )
    sys.stdout.write(f"stopped by {asked[0]}, results of {sorted(results)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

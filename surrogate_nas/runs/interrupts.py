"""Ctrl-C: the first one asks the study to save and stop, the second one stops it at once."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from surrogate_nas.errors import Interrupted

Advance = Callable[[int, int], None]
"""Takes how much is done, and how much there is."""


def stop_signals() -> list[signal.Signals]:
    """Returns the signals that ask for a stop: Ctrl-C, the wish of the system, and on Windows Ctrl-Break."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


@contextmanager
def stop_on_interrupt(on_first: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether a stop was requested, by Ctrl-C or by a termination signal.

    The second signal ends all worker processes and raises ``KeyboardInterrupt``.

    Args:
        on_first: Called when the stop is first noticed, to show the user what happens now. Not from the signal handler,
            which may have interrupted somebody who is printing.
    """
    asked, told = 0, False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            # They replace files in one piece, so nothing that was saved is lost.
            for worker in multiprocessing.active_children():
                worker.kill()
            raise KeyboardInterrupt

    def should_stop() -> bool:
        nonlocal told
        if asked and not told:
            told = True
            on_first()
        return asked > 0

    previous = {number: signal.signal(number, handle) for number in stop_signals()}
    try:
        yield should_stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def stop_in_python(warn: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Does as ``stop_on_interrupt`` in scripts and notebooks; only the main thread of a process gets Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with stop_on_interrupt(lambda: warn("stopping: what is done is being saved")) as should_stop:
        yield should_stop


def stop_if_asked(should_stop: Callable[[], bool], doing: str) -> None:
    """Ends a stage that was asked to stop.

    Args:
        should_stop: Whether it was.
        doing: What it was doing, such as ``"reading images"``.

    Raises:
        Interrupted: If it was.
    """
    if should_stop():
        raise Interrupted(f"stopped while {doing}")


def stoppable(advance: Advance, should_stop: Callable[[], bool], doing: str) -> Advance:
    """Progress that raises ``Interrupted`` once a stop was requested."""

    def advance_or_stop(done: int, total: int) -> None:
        advance(done, total)
        stop_if_asked(should_stop, doing)

    return advance_or_stop

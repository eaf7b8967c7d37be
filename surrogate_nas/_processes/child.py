"""Prepares a worker process before its first job, and watches over it while it starts."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path

from surrogate_nas._processes.allocator import keep_freed_memory
from surrogate_nas.errors import SettingsError

_SAFE_PATH = "PYTHONSAFEPATH"


def require_main_module() -> None:
    """Refuses a main module that worker processes cannot import as they begin, before hours of work need them.

    Raises:
        SettingsError: If it was read from standard input, or is being imported by a worker.
    """
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    if main.__spec__ is None and path is not None and not Path(path).exists():
        raise SettingsError(f"worker processes cannot import the script {path}; put it into a file and run that")
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SettingsError('worker processes import the script; call run() under if __name__ == "__main__":')


def begin_child() -> None:
    """Leaves interrupts from the keyboard to the parent, and ends with it even where it is killed.

    Two runs never write one folder then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Lets processes begin without interrupts from the keyboard, which would end them before they can ignore them.

    Windows cannot hold a signal. A process that an interrupt ends there as it begins is met by ``Workers`` as any
    other that ends while a stop is requested.
    """
    hold = getattr(signal, "pthread_sigmask", None)
    if hold is None:
        yield
        return
    before = hold(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        hold(signal.SIG_SETMASK, before)


@contextmanager
def working_folder_left_out() -> Iterator[None]:
    """Lets Python processes begin as ``python -P`` does: they import nothing from the working folder.

    It may be somebody else's run folder, with a ``pickle.py`` in it. Places that the parent imports from itself are
    handed on to a worker process all the same.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        # Files are replaced in one piece, so there is nothing to tidy up.
        os._exit(1)

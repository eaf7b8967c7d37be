"""The first step of every command: a stop during its imports, which take seconds, ends as any later one does."""

import importlib
import signal
import sys
from types import FrameType
from typing import NoReturn

from surrogate_nas.errors import Interrupted


def run(command: str) -> int:
    """Runs a command line of the process's own words, and returns its exit code.

    Args:
        command: Name of the module in ``surrogate_nas.cli``.
    """
    # Without a handler, a wish of the system to end would end the process with another code, and without a word.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code: int = importlib.import_module(f"surrogate_nas.cli.{command}").main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped at once\n")
        return Interrupted.exit_code
    return code


def main() -> int:
    """Runs the console command ``surrogate-nas``."""
    return run("main")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt

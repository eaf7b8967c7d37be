"""What a study says while it runs: progress and notes on standard error and in the log, results on standard output."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_LOGGER = logging.getLogger("surrogate_nas.study")
Advance = Callable[[int, int], None]
"""Takes how much is done, and how much there is."""


class StudyConsole:
    """The study's voice; progress bars are drawn on a terminal only.

    Args:
        quiet: Whether to leave out notes and progress; warnings are still said.
        verbose: Whether to say details.
        results: Where results go: standard output, or standard error where that is kept for JSON.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, results_to_stderr: bool = False) -> None:
        self._messages = Console(stderr=True, highlight=False, soft_wrap=True)
        self.results = Console(stderr=results_to_stderr, highlight=False)
        self._quiet, self._verbose = quiet, verbose
        self._log: logging.Handler | None = None
        _LOGGER.setLevel(logging.DEBUG)
        _LOGGER.propagate = False
        if not _LOGGER.handlers:
            # Without any handler, logging would print warnings on standard error a second time.
            _LOGGER.addHandler(logging.NullHandler())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._log is not None:
            _LOGGER.removeHandler(self._log)
            self._log.close()

    def log_to(self, path: Path) -> None:
        """Writes everything that is said from now on into a file as well, with the time."""
        self._log = logging.FileHandler(path, encoding="utf-8")
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
        _LOGGER.addHandler(self._log)

    def note(self, text: str) -> None:
        """A line about what happens."""
        _LOGGER.info(text)
        if not self._quiet:
            self._messages.print(Text(text))

    def detail(self, text: str) -> None:
        """A line for those who asked for more."""
        _LOGGER.debug(text)
        if self._verbose:
            self._messages.print(Text(text, style="dim"))

    def warn(self, text: str) -> None:
        """A line that must not be missed."""
        _LOGGER.warning(text)
        self._messages.print(Text(f"warning: {text}", style="yellow"))

    def error(self, text: str) -> None:
        """The one line that an error ends with."""
        _LOGGER.error(text)
        self._messages.print(Text(f"error: {text}", style="bold red"))

    def table(self, title: str, header: list[str], rows: list[list[str]]) -> None:
        """A small table among the results; the first column is text, the others are numbers."""
        table = Table(title=Text(title), title_justify="left", title_style="bold")
        for position, name in enumerate(header):
            table.add_column(name, justify="right" if position else "left")
        for row in rows:
            table.add_row(*map(Text, row))
            _LOGGER.info("%s: %s", title, ", ".join(f"{name} {cell}" for name, cell in zip(header, row, strict=True)))
        self.results.print(table)

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """A progress bar for the length of a block; off a terminal, a line at its beginning."""
        _LOGGER.info("%s: begun", title)
        if self._quiet or not sys.stderr.isatty():
            if not self._quiet:
                self._messages.print(Text(f"{title} ..."))
            yield _plain_progress(title)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._messages) as bars:
            task = bars.add_task(title, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)


def _plain_progress(title: str) -> Advance:
    """Logs each tenth of the way."""
    logged = 0

    def advance(done: int, total: int) -> None:
        nonlocal logged
        tenth = 10 * done // total if total else 0
        if tenth > logged:
            logged = tenth
            _LOGGER.info("%s: %d%%", title, 10 * tenth)

    return advance

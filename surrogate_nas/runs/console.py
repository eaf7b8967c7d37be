"""The console of a run: progress and notes on standard error and in the log, results on standard output."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from surrogate_nas._support.streams import printable, replace_unknown_letters, silence
from surrogate_nas.errors import WriteError
from surrogate_nas.runs.interrupts import Advance

# Of the whole package: what other stages log goes into the run's log, and not on the terminal.
_LOGGER = logging.getLogger("surrogate_nas")
_TITLE_WIDTH, _HINT_WIDTH = 30, 17
_BESIDE_BAR = _TITLE_WIDTH + 30  # characters that a line of progress takes in addition to its bar
_SHORTEST_BAR, _LONGEST_BAR = 8, 40


class StudyConsole:
    """The study's voice; progress bars are drawn on a terminal only.

    Args:
        quiet: Whether to leave out notes and progress; warnings and results are still printed.
        verbose: Whether to say details.
        json: Whether standard output is kept for JSON: results then go where notes go.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False, json: bool = False) -> None:
        self._restore_streams = replace_unknown_letters()
        self._messages = _Console(stderr=True, highlight=False, soft_wrap=True)
        self.results: Console = _Console(stderr=json, quiet=json and quiet, highlight=False)
        self._quiet, self._verbose = quiet, verbose
        self._log: logging.Handler | None = None
        self._begun = False
        self._logger_before = (_LOGGER.level, _LOGGER.propagate)
        _LOGGER.setLevel(logging.DEBUG)
        _LOGGER.propagate = False
        if not _LOGGER.handlers:
            # Without any handler, logging would print warnings on standard error a second time.
            _LOGGER.addHandler(logging.NullHandler())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._log is not None:
            _LOGGER.removeHandler(self._log)
            self._log.close()
            self._log = None
        # A caller in Python goes on after the run.
        level, _LOGGER.propagate = self._logger_before
        _LOGGER.setLevel(level)
        self._restore_streams()

    @property
    def has_begun(self) -> bool:
        """True once the run has begun, which changes its folder: there is a log then, of this process or of another."""
        return self._begun

    def begin(self) -> None:
        """Says that the run has begun, in a process that leaves the log to another one."""
        self._begun = True

    def log_to(self, path: Path) -> None:
        """Writes every line from now on into a file as well, with the time.

        Raises:
            WriteError: If the file cannot be written.
        """
        try:
            self._log = _LogFile(path, encoding="utf-8")
        except OSError as error:
            raise WriteError(f"the log {path} cannot be written: {error.strerror or error}") from None
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
        _LOGGER.addHandler(self._log)
        self.begin()

    def note(self, text: str) -> None:
        """Prints a line about the run."""
        _LOGGER.info("%s", text)
        if not self._quiet:
            # Other lines may hold a command to be copied, which must not be broken.
            self._messages.print(Text(text), soft_wrap=not self._messages.is_terminal)

    def hint(self, name: str, command: str) -> None:
        """Prints a command that may be useful next."""
        _LOGGER.info("%s: %s", name, command)
        if not self._quiet:
            self._messages.print(Text(f"{name}:".ljust(_HINT_WIDTH) + command))

    def detail(self, text: str) -> None:
        """Prints a line for users who want more detail."""
        _LOGGER.debug("%s", text)
        if self._verbose:
            self._messages.print(Text(text, style="dim"))

    def warn(self, text: str) -> None:
        """Prints a line that must not be missed."""
        _LOGGER.warning("%s", text)
        self._messages.print(Text(f"warning: {text}", style="yellow"))

    def warn_of_stop(self) -> None:
        """Explains what a first Ctrl-C does; there is nothing to save before a run has started."""
        saving = ": what is done is being saved" if self.has_begun else ""
        self.warn(f"stopping{saving}; press Ctrl-C again to stop at once")

    def error(self, text: str) -> None:
        """Prints the one line that an error ends with, also where a library's words for it have more."""
        text = " ".join(text.split())
        _LOGGER.error("%s", text)
        self._messages.print(Text(f"error: {text}", style="bold red"))

    def table(self, title: str, header: list[str], rows: list[list[str]]) -> None:
        """Prints a small table among the results; the first column is text, the others are numbers."""
        table = Table(title=Text(title), title_justify="left", title_style="bold")
        for position, name in enumerate(header):
            table.add_column(name, justify="right" if position else "left")
        for row in rows:
            table.add_row(*map(Text, row))
            _LOGGER.info("%s: %s", title, ", ".join(f"{name} {cell}" for name, cell in zip(header, row, strict=True)))
        self.results.print(table)

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """Yields a progress bar with times for the length of a block; off a terminal, a line at its beginning."""
        _LOGGER.info("%s: started", title)
        logged = _logged_tenths(title)
        if self._quiet or not self._messages.is_terminal:
            if not self._quiet:
                self._messages.print(Text(f"{title} ..."))
            yield logged
            return
        with Progress(*self._columns(), console=self._messages) as bars:
            task = bars.add_task(title.ljust(_TITLE_WIDTH), total=None)
            begun = False

            def advance(done: int, total: int) -> None:
                nonlocal begun
                # What an earlier process did says nothing about the speed of this one.
                if done and not begun:
                    bars.reset(task, total=total, completed=done)
                begun = True
                bars.update(task, completed=done, total=total)
                logged(done, total)

            yield advance
            if not begun:
                bars.update(task, completed=1, total=1)

    def _columns(self) -> tuple[ProgressColumn, ...]:
        width = min(max(self._messages.width - _BESIDE_BAR, _SHORTEST_BAR), _LONGEST_BAR)
        return (
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=width),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            _TimeLeft(),
        )


class _TimeLeft(TimeRemainingColumn):
    """The time that is left, as such, while there is any."""

    def render(self, task: Task) -> Text:
        """Returns an empty text once the task is finished."""
        return Text() if task.finished else super().render(task) + Text(" left", style="progress.remaining")


class _Console(Console):
    """A console whose reader may go away, and on which only rich itself steers the terminal.

    Rich would end the process with its reader, and with it an hour of training.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the pieces of what is printed; names in somebody else's files only show letters."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(printable(piece.text), piece.style)

    def on_broken_pipe(self) -> None:
        """Says nothing more."""
        self.quiet = True
        # Python would complain when it flushes at exit.
        silence(self.file.fileno())


class _LogFile(logging.FileHandler):
    """A log that may fail: a full disk is reported once, by the stage that writes there."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns a line that a terminal only shows."""
        return printable(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Leaves the line out."""

    def close(self) -> None:
        """Closes the file."""
        with suppress(OSError):
            super().close()


def _logged_tenths(title: str) -> Advance:
    """Logs each tenth of the way."""
    logged = 0

    def advance(done: int, total: int) -> None:
        nonlocal logged
        tenth = 10 * done // total if total else 0
        if tenth > logged:
            logged = tenth
            _LOGGER.info("%s: %d%%", title, 10 * tenth)

    return advance

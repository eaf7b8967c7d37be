"""The Python file of a space with operations of its own: read, run where it may be, passed on to other processes."""

import contextlib
import hashlib
import sys
import traceback
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from surrogate_nas._support.cache_folder import cache_folder
from surrogate_nas.errors import ProgramError, SurrogateNasError
from surrogate_nas.space.operations.registry import is_registered, registering


@dataclass(frozen=True)
class Program:
    """A program, by its content, so that every process runs what the first one read.

    Attributes:
        path: Where it was read.
        source: Its content.
    """

    path: str
    source: str

    @classmethod
    def read(cls, path: Path) -> "Program":
        """Returns the program in a file, which is not run.

        Raises:
            ProgramError: If the file cannot be read.
        """
        if not path.is_file():
            raise ProgramError(
                f"there is no file {path}; write it, or correct the path, which is relative to the space file"
            )
        try:
            return cls(str(path), path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise ProgramError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def __reduce__(self) -> tuple[object, ...]:
        # A space that arrives in a worker process needs its operations there; the bytes come from the parent's memory.
        return _arrived, (self.path, self.source)

    @property
    def is_trusted(self) -> bool:
        """Returns whether this very content has been run on this machine from a space that the user named."""
        return is_registered(self.digest) or self._mark.is_file()

    def trust(self) -> None:
        """Remembers that the user had this content run."""
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            self._mark.touch()
        except OSError:
            pass  # nothing is lost but a question that is asked once more

    def run(self) -> None:
        """Runs the program, unless this process has, and registers its operations.

        Raises:
            ProgramError: If it fails or registers nothing; the message names its line.
        """
        if is_registered(self.digest):
            return
        name = f"surrogate_nas_program_{self.digest[:16]}"
        module = ModuleType(name)
        module.__file__ = self.path
        sys.modules[name] = module  # where dataclasses and torch look for the module of a class
        try:
            # Standard output is for results, which other programs read.
            with registering(self.path, self.digest), contextlib.redirect_stdout(sys.stderr):
                exec(compile(self.source, self.path, "exec"), module.__dict__)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it raises, SystemExit too
            del sys.modules[name]
            raise ProgramError(
                f"{self.path}{line_in(error, self.path)}: {words_of(error)}; correct the program"
            ) from None

    @property
    def _mark(self) -> Path:
        return cache_folder() / "programs" / self.digest


def _arrived(path: str, source: str) -> Program:
    program = Program(path, source)
    program.run()
    return program


def line_in(error: BaseException, path: str) -> str:
    """Returns the line of a file that an exception arose in, as ``", line 7"``; an empty text if it is unknown."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines.append(error.lineno)
    return f", line {lines[-1]}" if lines else ""


def words_of(error: BaseException) -> str:
    """Returns an exception in one line."""
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())[:300]
    return text if isinstance(error, SurrogateNasError) else f"{type(error).__name__}: {text}"

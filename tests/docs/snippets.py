"""Code of the documentation's pages: fenced blocks, the commands in them, and commands within sentences."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
LOG = [REPOSITORY / "benchmarks" / "results.md", *sorted((REPOSITORY / "benchmarks" / "results").glob("*.md"))]
PROGRAMS = ("surrogate-nas", "python", "torchrun", "make", "pip", "optuna-dashboard")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_IN_A_SENTENCE = re.compile(r"`((?:surrogate-nas|python -m) [^`]+)`")


@dataclass(frozen=True)
class Command:
    """A command line as a page has it.

    Attributes:
        page: The page, as seen from the repository.
        words: The words, without what follows a pipe or a redirection.
        whole: Whether it stands in a block, so that a reader may copy it; else it may be a part.
    """

    page: str
    words: tuple[str, ...]
    whole: bool

    @property
    def name(self) -> str:
        """The subcommand, however it is called: ``study`` of ``surrogate-nas study``; empty for other programs."""
        if self.words[0] == "surrogate-nas":
            return self.words[1] if len(self.words) > 1 and self.words[1][0] != "-" else ""
        module = next((word for word in self.words if word.startswith("surrogate_nas.")), "")
        return module.removeprefix("surrogate_nas.")

    @property
    def arguments(self) -> list[str]:
        """The words after the subcommand or the module."""
        words = list(self.words)
        if words[0] == "surrogate-nas":
            return words[2:]
        return words[words.index("-m") + 2 :] if "-m" in words else words[1:]


def blocks(text: str) -> list[tuple[str, str]]:
    """Returns the language and content of each fenced block."""
    return _FENCED.findall(text)


def prose(text: str) -> str:
    """Returns a page without its fenced blocks."""
    return _FENCED.sub("", text)


def commands(page: Path) -> list[Command]:
    """Returns every command of a page, in blocks and in sentences."""
    text, name = page.read_text(encoding="utf-8"), str(page.relative_to(REPOSITORY))
    lines = [line for language, block in blocks(text) if not language for line in _joined(block)]
    found = [(line, True) for line in lines if line.split(" ")[0] in PROGRAMS]
    found += [(" ".join(line.split()), False) for line in _IN_A_SENTENCE.findall(prose(text))]
    return [Command(name, _words(line), whole) for line, whole in found]


def _joined(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


def _words(line: str) -> tuple[str, ...]:
    words = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(words) if word in (">", "|")]
    return tuple(words[: ends[0]] if ends else words)

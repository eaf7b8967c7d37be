"""The stage of a study: what it takes of earlier findings, and what it adds to them."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar

from surrogate_nas.study.findings import Findings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run


class Timing(Enum):
    """The way the time of a stage is recorded in ``state.json``."""

    NONE = "it takes moments"
    ANEW = "every process does it from its beginning, and the last one counts"
    ADDED = "every process continues where the last one stopped, and all of them count"


class Stage(ABC):
    """A stage of a study.

    Call order: ``check`` of all stages before any of them changes the run folder; then of one after another ``reuse``,
    and ``run`` where that gave None.

    Attributes:
        name: Its name in ``state.json`` and in the report.
        inputs: Types of the findings that it takes; it sees no others.
        timing: How its time is recorded.
    """

    name: ClassVar[str]
    inputs: ClassVar[tuple[type, ...]]
    timing: ClassVar[Timing] = Timing.NONE

    def check(self, problem: Problem, run: Run) -> None:  # noqa: B027 - most have nothing to check
        """Reports settings that do not fit and stored results that are damaged, which would end the stage later.

        Raises:
            SurrogateNasError: If there are any.
        """

    def made_from(self, findings: Findings) -> str:  # noqa: ARG002 - here it is made from files
        """Returns the hash of everything that it is made from; empty where its files themselves show it."""
        return ""

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002 - here nothing can be
        """Returns the findings of an earlier process, or no new ones if there is nothing to do; None if it must run."""
        return None

    @abstractmethod
    def run(self, findings: Findings, run: Run) -> Findings:
        """Finds something.

        Raises:
            Interrupted: If a stop was requested; what is finished is kept.
            SurrogateNasError: If it fails.
        """

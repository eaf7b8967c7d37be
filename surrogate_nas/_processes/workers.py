"""Worker processes for trainings and evaluations that do not depend on each other, whatever runs them."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Job = TypeVar("Job", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Task(Protocol[Job, Result]):
    """A module-level function that a worker runs on a job."""

    def __call__(self, job: Job, report: Callable[[int], None], stopped: Callable[[], bool]) -> Result:
        """Does the job; reports its progress, and returns early once stopped."""


class Workers(Protocol):
    """Processes that are started at their first use and kept until the end.

    Results depend neither on the back-end nor on the number of processes.
    """

    @property
    def processes(self) -> int:
        """Number of worker processes."""

    def run(
        self,
        task: Task[Job, Result],
        jobs: Sequence[Job],
        *,
        on_result: Callable[[int, Result], None],
        on_progress: Callable[[int], None],
        should_stop: Callable[[], bool],
        on_death: Callable[[int, str], None] | None = None,
    ) -> None:
        """Runs a task on every job, a few at a time, in the order given.

        Args:
            task: A function that processes can import.
            jobs: Its jobs.
            on_result: Takes the position of a job and its result, in the order in which they end.
            on_progress: Takes the sum of the progress of all jobs, a few times a second.
            should_stop: Asked a few times a second; once true, running jobs are asked to return early and no new one is
                started.
            on_death: Takes the position of a job whose process died with no stop requested, and how it died and what to
                do in words; the job is then started again in a new process, unless this raises.

        Raises:
            TrainingError: If the process of a job dies more often than it is started again.
            Exception: What a job raised. Either way the other jobs are asked to return early.
        """

    def close(self) -> None:
        """Ends the processes, where nothing needs them for a while; another run starts new ones."""

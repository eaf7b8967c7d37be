"""Makes the next batch in a thread of its own while a step trains.

Batches depend on their step alone, so that the thread changes when they are made and never what they are.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from torch import Tensor

Batch = tuple[Tensor, Tensor]


class Ahead:
    """Gives batches by their step, and has the one after it made meanwhile; a context that ends the thread.

    Args:
        make: Returns the batch of a step, counted from 0.
        steps: Steps in total; no batch is made beyond.
    """

    def __init__(self, make: Callable[[int], Batch], steps: int) -> None:
        self._make, self.steps = make, steps
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._made: dict[int, Future[Batch]] = {}

    def __enter__(self) -> Self:
        """Begins."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the thread, after the batch that it is making."""
        self._thread.shutdown(cancel_futures=True)

    def batch(self, step: int) -> Batch:
        """Returns the batch of a step; an error while it was made is raised here."""
        ready = self._made.pop(step, None) or self._thread.submit(self._make, step)
        self._made = {step + 1: self._thread.submit(self._make, step + 1)} if step + 1 < self.steps else {}
        return ready.result()

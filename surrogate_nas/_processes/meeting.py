"""The place where worker processes meet that train one network together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed

from surrogate_nas._processes.process_group import Processes, all_came, grouped


@dataclass(frozen=True)
class Meeting:
    """A file by which processes find each other, on this machine or on several that share a disk.

    Attributes:
        file: The file, which nothing else uses, in a folder that is there; None where a process is alone.
        processes: This process among them.
    """

    file: Path | None = None
    processes: Processes = field(default_factory=Processes)

    @contextmanager
    def held(self, device: torch.device, stopped: Callable[[], bool]) -> Iterator[bool]:
        """Joins the processes for the length of a block, once all of them came.

        Yields:
            Whether they came before a stop; if not, they are not joined.

        Raises:
            TrainingError: If one of them does not come, or cannot be reached.
            OthersEndedError: If one of them ends before the block does.
        """
        if self.file is None:
            yield True
            return
        store = torch.distributed.FileStore(str(self.file), self.processes.count)
        if not all_came(store, self.processes, stopped):
            yield False
            return
        with grouped(self.processes, device, torch.distributed.PrefixStore("group", store)):
            yield True

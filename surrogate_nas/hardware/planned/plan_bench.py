"""Plans networks in worker processes, and only the ones that this machine has not planned before."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike

from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.cache_folder import cache_folder
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.measure.pieces import prepare
from surrogate_nas.hardware.planned.plan_cache import PlanCache
from surrogate_nas.hardware.planned.planners import PLANNERS, Plan, PlannerRow
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

WHAT = "networks planned"


@dataclass(frozen=True)
class PlanJob:
    """A network to plan.

    Attributes:
        planner: Key of ``PLANNERS``.
        accelerator: NPU that is compiled for.
        space: Search space.
        network: The deployed network.
        code: Its effective code, of D choices.
    """

    planner: str
    accelerator: str
    space: Space
    network: NetworkSpec
    code: tuple[int, ...]


def plan_network(job: PlanJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Plan | str:
    """Returns the plan of a network with random weights, which it does not depend on, or why there is none."""
    del report, stopped  # it takes seconds
    row, network = PLANNERS[job.planner], job.network
    shape = (network.input_channels, network.image_size, network.image_size)
    # The draws of a caller in this process stay what they are.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            built, example = prepare(build_network(job.space, job.code, network), shape, 1, torch.device("cpu"))
            assert isinstance(built, torch.nn.Module)
            return row.plan(row.make(built, example), job.accelerator)
        except Exception as error:  # converters and planners raise errors of any class
            return one_line(error)


class PlanBench:
    """A planner with the space and the network size that it plans.

    Args:
        space: Search space of the networks.
        network: The deployed network.
        settings: Names of planner and accelerator.
        folder: Folder of the cache; None is the user's cache folder.
        workers: Processes that plan; this one where None.
    """

    def __init__(
        self,
        space: Space,
        network: NetworkSpec,
        settings: HardwareSettings,
        folder: Path | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.row: PlannerRow = PLANNERS[settings.planner]
        self._space, self._network, self._settings, self._workers = space, network, settings, workers
        self.cache = PlanCache(
            folder or cache_folder(),
            {
                "planner": settings.planner,
                "accelerator": settings.accelerator if settings.planner == "vela" else "",
                "versions": self.row.versions(),
                "torch": str(torch.__version__),
                "space": space.fingerprint,
                "network": network.described(),
            },
        )

    def plan(self, codes: ArrayLike, on_progress: Progress | None = None) -> list[Plan]:
        """Returns the plan of the network of each code, shape (N, D), without its dead operations.

        Every plan is kept as soon as it is made.

        Args:
            codes: Shape (N, D).
            on_progress: Called after every network; it may raise to stop.

        Raises:
            MeasurementError: If a network cannot be planned.
        """
        effective = self._space.effective(codes)
        digits = self._space.digits(effective)
        known = self.cache.read()
        missing = [row for row, name in enumerate(digits) if name not in known and name not in digits[:row]]
        planner, accelerator = self._settings.planner, self._settings.accelerator
        jobs = [
            PlanJob(planner, accelerator, self._space, self._network, tuple(effective[row].tolist())) for row in missing
        ]
        made: list[str] = []

        def show(_: int = 0) -> None:
            # Where a stop is requested, this raises, and nobody waits for the network that is being planned.
            if on_progress is not None:
                on_progress(WHAT, len(made), len(jobs))

        def keep(position: int, found: Plan | str) -> None:
            name = digits[missing[position]]
            if isinstance(found, str):
                raise MeasurementError(
                    f"{self.row.title} cannot plan {name}: {found}; choose another hardware.planner, or none"
                )
            known[name] = found
            self.cache.add({name: found})
            made.append(name)
            show()

        if jobs:
            self._run(jobs, keep, show)
        return [known[name] for name in digits]

    def describe(self) -> dict[str, Any]:
        """Returns planner and versions, as JSON takes it."""
        identity = self.cache.identity
        return {"planner": self.row.title, **{key: identity[key] for key in ("accelerator", "versions")}}

    def _run(self, jobs: list[PlanJob], keep: Callable[[int, Plan | str], None], show: Callable[[int], None]) -> None:
        show(0)
        if self._workers is None:
            for position, job in enumerate(jobs):
                keep(position, plan_network(job, lambda _: None, lambda: False))
            return
        self._workers.run(plan_network, jobs, on_result=keep, on_progress=show, should_stop=lambda: False)
        # Converters hold hundreds of megabytes.
        self._workers.close()

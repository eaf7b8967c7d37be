"""RAM and flash of every architecture: counted, or predicted from counts that planned networks correct.

Symbols:
    N: architectures in the batch.
    M: networks that were planned.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.measure.correction import fit_correction
from surrogate_nas.hardware.planned.device_bytes import PARTS, DeviceBytes
from surrogate_nas.hardware.planned.plan_bench import PlanBench
from surrogate_nas.hardware.planned.planners import Plan
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Codes, Space

NAMES = ("ram_bytes", "flash_bytes")
"""In the order of ``Plan``."""

POOL = 20_000
"""Architectures among which the ones to plan are chosen; a smaller space is its own pool."""

_ENOUGH_ERRORS = 8  # without the two ends
COUNT_ERROR = {"ram_bytes": 0.06, "flash_bytes": 0.06}
LARGEST_COUNT_ERROR = {"ram_bytes": 0.25, "flash_bytes": 0.07}
"""Median relative error of the plain counts against TensorFlow Lite Micro, of the worse of two spaces, and about the
largest that was seen (``benchmarks/results/memory.md``)."""


class CountedMemory:
    """RAM and flash as they are counted, without a planner.

    Args:
        space: Search space of the codes.
        count: Counts the parts.
        names: Costs to give, of ``NAMES``.
    """

    def __init__(self, space: Space, count: DeviceBytes, names: Sequence[str] = NAMES) -> None:
        self._space, self._count = space, count
        self.names: tuple[str, ...] = tuple(names)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns the costs in bytes of codes (N, D), shape (N,) each."""
        parts = self._count.parts(self._space.effective(codes))
        return {name: parts[name].sum(axis=1) for name in self.names}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median error of counts against TensorFlow Lite Micro; other planners differ by more.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        _require(self.names, cost)
        return COUNT_ERROR[cost]

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns no errors: nothing was planned for this space.

        Raises:
            SettingsError: If the cost is not counted here.
        """
        _require(self.names, cost)
        return np.zeros(0)

    def describe(self) -> dict[str, Any]:
        """Returns the rules of the counts, and their error."""
        return {
            name: {
                "kind": "counted",
                "planner": "a count, without a planner",
                "unit": "bytes",
                "notes": [_COUNT_NOTES[name]],
            }
            for name in self.names
        }


_COUNT = "a count, without a planner"
_COUNT_NOTES = {
    "ram_bytes": "counted, not planned: the peak of feature maps, and what TensorFlow Lite Micro keeps for each"
    " operation",
    "flash_bytes": "counted, not planned: weights, and what a .tflite file holds for each operation",
}


class PlannedMemory:
    """RAM and flash by a planner, predicted for every architecture and planned for some.

    Plans on construction.

    Args:
        space: Search space of the codes.
        count: Counts the parts that the fit corrects.
        bench: The planner.
        networks: Number of networks to plan.
        seed: Seed of their choice.
        names: Costs to give, of ``NAMES``.
        on_progress: Called after every network.

    Attributes:
        codes: The networks that were planned for the fit, shape (N, D).

    Raises:
        MeasurementError: If a network cannot be planned, or the space has fewer than two different networks.
    """

    def __init__(
        self,
        space: Space,
        count: DeviceBytes,
        bench: PlanBench,
        *,
        networks: int,
        seed: int,
        names: Sequence[str] = NAMES,
        on_progress: Progress | None = None,
    ) -> None:
        self._space, self._count, self._bench = space, count, bench
        self.names: tuple[str, ...] = tuple(names)
        codes = self._choose(networks, np.random.default_rng(seed))
        self.codes, self._planned = codes, len(codes)
        plans, parts = np.array(bench.plan(codes, on_progress), dtype=np.float64), count.parts(codes)
        columns = {name: plans[:, NAMES.index(name)] for name in self.names}
        self._corrections = {name: fit_correction(parts[name], planned) for name, planned in columns.items()}
        self._ranges = {name: (float(planned.min()), float(planned.max())) for name, planned in columns.items()}
        # Leaving out an end of the range needs an extrapolation, which no other architecture needs.
        every = np.arange(len(codes))
        self._counting = every[1:-1] if len(codes) - 2 >= _ENOUGH_ERRORS else every

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns the predicted costs in bytes of codes (N, D), shape (N,) each."""
        parts = self._count.parts(self._space.effective(codes))
        return {name: self._corrections[name].predict(parts[name]) for name in self.names}

    def plan_architectures(self, codes: ArrayLike, on_progress: Progress | None = None) -> list[Plan]:
        """Returns the plan of each network, for codes (N, D); see ``Plannable``."""
        return self._bench.plan(codes, on_progress)

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error on networks left out of the fit.

        Raises:
            SettingsError: If the cost is not predicted here.
        """
        _require(self.names, cost)
        return self._corrections[cost].relative_error

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns planned / predicted - 1 of networks left out of the fit, shape (M,).

        The smallest and the largest network do not count where there are enough others.

        Raises:
            SettingsError: If the cost is not predicted here.
        """
        _require(self.names, cost)
        # A prediction of next to nothing counts as one of a twentieth, as for latencies.
        return self._corrections[cost].held_out[self._counting]

    def describe(self) -> dict[str, Any]:
        """Returns planner, versions, and how well predictions agree with plans."""
        return {
            name: {
                "kind": "planned",
                **self._bench.describe(),
                "unit": "bytes",
                "networks_planned": self._planned,
                "smallest_planned": self._ranges[name][0],
                "largest_planned": self._ranges[name][1],
                "correction": self._corrections[name].kind,
                "coefficients": self._corrections[name].named(PARTS),
                "relative_error": self._corrections[name].relative_error,
                "notes": [],
            }
            for name in self.names
        }

    def _choose(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns distinct networks to plan: the smallest and the largest by count, and one per stratum between.

        Strata are over counted RAM for one half, and over counted flash for the other.
        """
        space = self._space
        pool = space.all_codes() if space.size <= POOL else draw(space, POOL, "balanced", rng)
        pool = np.unique(space.effective(pool[space.is_connected(pool)]), axis=0)
        if len(pool) < 2:
            raise MeasurementError(
                f"the space {space.name} has only {len(pool)} network; RAM and flash are predicted from at least 2"
            )
        ram, flash = (parts.sum(axis=1) for parts in self._count.parts(pool).values())
        order = np.argsort(ram, kind="stable")
        if len(pool) <= count:
            return np.asarray(pool[order])
        ends, inner = [order[0], order[-1]], order[1:-1]
        by_ram = [rng.choice(stratum) for stratum in np.array_split(inner, count // 2)]
        left = np.setdiff1d(inner, by_ram)
        left = left[np.argsort(flash[left], kind="stable")]
        by_flash = [rng.choice(stratum) for stratum in np.array_split(left, count - 2 - len(by_ram)) if len(stratum)]
        chosen = np.array([ends[0], *by_ram, *by_flash, ends[1]])
        return np.asarray(pool[chosen])


def _require(names: Sequence[str], cost: str) -> None:
    if cost not in names:
        raise SettingsError(f"unknown cost {cost!r}; {choose_from(names, cost)}")

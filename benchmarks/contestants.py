"""The networks that compete in ``benchmarks.rivals``: found by studies, drawn at random, and off the shelf."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from surrogate_nas.data.images import DataSplits
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.rivals.fit import Terms, by_strength, fit_rivals
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork, count_rival
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.training.train_network import ArchitectureNetwork, Buildable

YARDSTICK = "resnet20"
_DRAWN, _POOL = 100, 20_000
_RIVAL_SECONDS = 120.0


@dataclass(frozen=True)
class Contestant:
    """A network that competes at one budget.

    Attributes:
        budget: Position of the budget.
        role: Where it comes from.
        network: The network.
        parameters: Its parameters.
        flops: Its multiply-accumulates.
    """

    budget: int
    role: str
    network: Buildable
    parameters: int
    flops: int

    @property
    def key(self) -> str:
        """Name of its training; the same network at two budgets is trained once."""
        if isinstance(self.network, ArchitectureNetwork):
            return f"{self.network.space.name}-{self.network.identity['code']}"
        return self.network.title.replace(" ", "_")


def interface_of(splits: DataSplits) -> Interface:
    """Returns what networks take and give."""
    return Interface(splits.channels, splits.native_image_size, len(splits.class_names))


def sized(space: Space, interface: Interface) -> NetworkSpec:
    """Returns the space's own network for the images."""
    return replace(
        space.network,
        image_size=interface.image_size,
        input_channels=interface.channels,
        classes=interface.classes,
    )


def winners(space: Space, network: NetworkSpec, run: Path, limits: Sequence[float]) -> Iterator[Contestant]:
    """Yields the best architecture of a finished study within each budget."""
    table = LookupTable.load(run)
    for budget, limit in enumerate(limits):
        code = space.effective([space.parse(table.best(latency_ms=limit).code)])[0]
        yield _contestant(budget, f"{space.name}: found", space, code, network)


def drawn(
    space: Space, network: NetworkSpec, costs: CompositeCosts, limits: Sequence[float], seed: int
) -> Iterator[Contestant]:
    """Yields the architecture of most multiply-accumulates among some drawn at random below each budget.

    Draws keep the budget as predicted. They are measured, the largest first, until one keeps it as measured too, as the
    networks that a study trains are.
    """
    codes = space.effective(space.sample(_POOL, np.random.default_rng([seed, 17])))
    codes = codes[space.is_connected(codes)]
    latency = costs.evaluate(codes)["latency_ms"]
    for budget, limit in enumerate(limits):
        fitting = codes[latency <= limit][:_DRAWN]
        role = f"{space.name}: largest of {len(fitting)} drawn"
        largest_first = fitting[np.argsort(-space.flops(fitting, network), kind="stable")]
        candidates = (_contestant(budget, role, space, code, network) for code in largest_first)
        found = next((one for one in candidates if latencies([one], costs)[one.key] <= limit), None)
        if found is not None:
            yield found


def _contestant(budget: int, role: str, space: Space, code: Codes, network: NetworkSpec) -> Contestant:
    counts = int(space.parameters([code], network)[0]), int(space.flops([code], network)[0])
    return Contestant(budget, role, ArchitectureNetwork(space, tuple(code.tolist()), network), *counts)


def off_the_shelf(
    interface: Interface, costs: CompositeCosts, limits: Sequence[float], number: int
) -> Iterator[Contestant]:
    """Yields ResNet-20 and the strongest other rivals within each budget, at their largest widths."""

    def measure(networks: Sequence[RivalNetwork]) -> Mapping[str, Any]:
        return costs.measure_modules({network.key: network.build for network in networks})

    yardstick = RivalNetwork(YARDSTICK, 1.0, interface)
    whole = measure([yardstick])[yardstick.key].median_ms / count_rival(yardstick).flops
    for budget, limit in enumerate(limits):
        terms = Terms(interface, {}, limit, whole, _RIVAL_SECONDS)
        names = [name for name, row in RIVALS.items() if row.is_installed]
        fitted = by_strength([one for one in fit_rivals(names, terms, measure, lambda *_: None) if one.fits])
        chosen = [one for one in fitted if one.network.name == YARDSTICK]
        chosen += [one for one in fitted if one not in chosen][:number]
        for one in chosen:
            counts = count_rival(one.network)
            yield Contestant(budget, "off the shelf", one.network, counts.params, counts.flops)


def latencies(contestants: Sequence[Contestant], costs: CompositeCosts) -> dict[str, float]:
    """Returns the latency of every network in milliseconds, all measured in turns."""
    builders: dict[str, Callable[[], nn.Module]] = {}
    for one in contestants:
        network = one.network
        if isinstance(network, ArchitectureNetwork):
            code = network.space.effective([network.code])[0]
            builders[one.key] = partial(build_network, network.space, code, network.network)
        else:
            builders[one.key] = network.build
    return {key: found.median_ms for key, found in costs.measure_modules(builders).items()}

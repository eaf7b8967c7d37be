"""Compares the RAM and flash that are counted and predicted with what planners of real runtimes say.

python -m benchmarks.memory --spaces images32,digits --planners tflite_micro,vela --networks 20
"""

import sys
import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import upper_error
from surrogate_nas.hardware.planned.device_bytes import DeviceBytes
from surrogate_nas.hardware.planned.device_memory import NAMES, CountedMemory, PlannedMemory
from surrogate_nas.hardware.planned.plan_bench import PlanBench
from surrogate_nas.hardware.planned.planners import PLANNERS, find_planner
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import draw

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_FEWEST = 4
_STREAM = 1  # of the seed's draws: networks that the fit has not seen
_HEADS = (
    "space",
    "planner",
    "fitted to",
    "networks",
    "cost",
    "smallest",
    "largest",
    "count, median error",
    "largest",
    "prediction, median error",
    "largest",
    "margin at 95%",
    "kept",
    "seconds a plan",
)
_HEAD = f"| {' | '.join(_HEADS)} |\n" + "| --- " * len(_HEADS) + "|"


def rows(name: str, settings: HardwareSettings, networks: int, seed: int) -> list[str]:
    """Returns the rows of the table for one space and planner: RAM, and flash."""
    space, row = load_space(name), PLANNERS[settings.planner]
    count = DeviceBytes(space, space.network, settings.precision)
    with LocalWorkers(2) as workers:
        bench = PlanBench(space, space.network, settings, workers=workers)
        begun, before = time.perf_counter(), len(bench.cache.read())
        fit = PlannedMemory(space, count, bench, networks=settings.whole_networks, seed=seed)
        rng = np.random.default_rng([seed, _STREAM])
        # A small space may have a single network of a depth, which the fit then has as well.
        known = np.unique(space.index(fit.codes)) if space.listable else np.empty(0, dtype=np.int64)
        codes = np.unique(space.effective(draw(space, min(2 * networks, space.size), "balanced", rng)), axis=0)
        codes = codes[~np.isin(space.index(codes), known)] if space.listable else codes
        codes = codes[rng.permutation(len(codes))[:networks]]
        plans = np.array(fit.plan_architectures(codes, _progress), dtype=np.float64)
        planned = len(bench.cache.read()) - before
    each = f"{(time.perf_counter() - begun) / planned:.1f}" if planned else "in the cache"
    counted, predicted = CountedMemory(space, count).evaluate(codes), fit.evaluate(codes)
    lines = []
    for place, cost in enumerate(NAMES):
        truth = plans[:, place]
        margin = upper_error(fit.held_out_errors(cost), settings.confidence)
        kept = (truth <= predicted[cost] * (1 + margin)).sum()
        cells = [name, row.title, str(settings.whole_networks), str(len(codes)), cost]
        cells += [f"{end / 1000:,.1f} KB" for end in (truth.min(), truth.max())]
        cells += [*_errors(counted[cost], truth), *_errors(predicted[cost], truth)]
        lines.append(f"| {' | '.join([*cells, f'{margin:.1%}', f'{kept} of {len(codes)}', each])} |")
    return lines


def _errors(said: NDArray[np.float64], truth: NDArray[np.float64]) -> list[str]:
    errors = np.abs(said / truth - 1)
    return [f"{np.median(errors):.1%}", f"{errors.max():.1%}"]


def _progress(what: str, done: int, total: int) -> None:
    if done == total:
        complain(f"{done} {what}")


@app.command()
def memory(
    spaces: Annotated[str, typer.Option(help="Spaces, with commas between them.")] = "images32,digits",
    planners: Annotated[str, typer.Option(help="Planners, with commas between them.")] = ",".join(PLANNERS),
    networks: Annotated[int, typer.Option(min=_FEWEST, help="Networks of each space that the fit has not seen.")] = 20,
    fitted: Annotated[int, typer.Option(min=_FEWEST, help="Networks that are planned for the fit.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of networks.")] = 0,
) -> None:
    """Prints a table: errors of the plain count and of the prediction, on networks that the fit has not seen."""
    names = [name.strip() for name in planners.split(",")]
    settings = {}
    for name in names:
        if name not in PLANNERS:
            raise SettingsError(f"--planners takes {', '.join(PLANNERS)} (got {name!r})")
        settings[name] = HardwareSettings.model_validate(
            {"planner": name, "precision": "int8", "whole_networks": fitted}
        )
        find_planner(settings[name])
    say(_HEAD)
    for space in spaces.split(","):
        for one in settings.values():
            say("\n".join(rows(space.strip(), one, networks, seed)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.memory", arguments)


if __name__ == "__main__":
    sys.exit(main())

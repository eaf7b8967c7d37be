"""Compares the RAM and flash that are counted and fitted with what planners of real runtimes say.

python -m benchmarks.memory --spaces quick,images32 --planners portable,cortex_m --networks 20
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.planners import PLANNERS, Plan, Planner
from surrogate_nas._support.words import one_line
from surrogate_nas.cli.command_line import complain, run_command, say
from surrogate_nas.costs.number_formats import NUMBER_BYTES
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.measure.correction import fit_correction
from surrogate_nas.hardware.measure.pieces import prepare, workload
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Codes, Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_HEAD = (
    "| space | planner | networks | cost | smallest | largest | error of the count, median"
    " | error of the fit, median | largest |\n" + "| --- " * 9 + "|"
)
_FEWEST = 4


def counted(space: Space, codes: Codes, planner: Planner) -> dict[str, NDArray[np.float64]]:
    """Returns the parts of RAM and flash that are counted, shape (N, 2) each.

    Feature maps and the image; weights and the number of operations, each of which takes a part of the file.
    """
    network, costs = space.network, AnalyticCosts(space, space.network, planner.precision).evaluate(codes)
    size = NUMBER_BYTES[planner.precision]
    image = np.full(len(codes), size * network.input_channels * network.image_size**2, dtype=np.float64)
    operations = workload(space, network).counts(codes).sum(axis=1).astype(np.float64)
    return {
        "RAM": np.column_stack([costs["memory_bytes"], image]),
        "flash": np.column_stack([size * costs["params"], operations]),
    }


def plans(space: Space, codes: Codes, planner: Planner) -> dict[int, Plan]:
    """Returns the plan of each network by its row; one that cannot be planned is left out, with a line why."""
    network, found = space.network, {}
    shape = (network.input_channels, network.image_size, network.image_size)
    for row, code in enumerate(codes):
        try:
            built, example = prepare(build_network(space, code, network), shape, 1, torch.device("cpu"))
            assert isinstance(built, torch.nn.Module)
            found[row] = planner.plan(built, example)
        except Exception as error:  # planners raise errors of any class
            complain(f"{space.name} {space.digits(code[None])[0]} cannot be planned: {one_line(error)}")
    return found


def rows(name: str, planner: Planner, networks: int, seed: int) -> list[str]:
    """Returns the rows of the table for one space and planner."""
    space = load_space(name)
    drawn = draw(space, min(networks, space.size), "balanced", np.random.default_rng(seed))
    codes = np.unique(space.effective(drawn), axis=0)
    planned = plans(space, codes, planner)
    if len(planned) < _FEWEST:
        return [f"| {name} | {planner.title} | {len(planned)} |" + " |" * 6]
    lines = []
    for place, (cost, parts) in enumerate(counted(space, codes[list(planned)], planner).items()):
        truth = np.array([plan[place] for plan in planned.values()], dtype=np.float64)
        fit, first = fit_correction(parts, truth), np.abs(parts[:, 0] / truth - 1)
        errors = [np.median(first), fit.relative_error, np.abs(fit.errors).max()]
        cells = [name, planner.title, str(len(planned)), cost, *(f"{end / 1000:,.1f} KB" for end in _ends(truth))]
        lines.append(f"| {' | '.join([*cells, *(f'{error:.1%}' for error in errors)])} |")
    return lines


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


@app.command()
def memory(
    spaces: Annotated[str, typer.Option(help="Spaces, with commas between them.")] = "quick,images32",
    planners: Annotated[str, typer.Option(help="Planners, with commas between them.")] = ",".join(PLANNERS),
    networks: Annotated[int, typer.Option(min=_FEWEST, help="Networks of each space.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of networks.")] = 0,
) -> None:
    """Prints a table: the error of the plain count, and that of a fit on networks other than the one predicted."""
    names = [name.strip() for name in planners.split(",")]
    for name in names:
        if name not in PLANNERS:
            raise SettingsError(f"--planners takes {', '.join(PLANNERS)} (got {name!r})")
        PLANNERS[name].require()
    say(_HEAD)
    for space in spaces.split(","):
        for name in names:
            say("\n".join(rows(space.strip(), PLANNERS[name], networks, seed)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.memory", arguments)


if __name__ == "__main__":
    sys.exit(main())

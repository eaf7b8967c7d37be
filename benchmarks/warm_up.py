"""Measures how many untimed passes a network needs after others ran, until it is as fast as it is alone.

python -m benchmarks.warm_up --space efficientnet_lite0 --side 64 --networks 24

Networks are drawn at random and timed in turns in ONNX Runtime, as a study times them, and each one alone, pass after
pass. Run it on an idle machine.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.hardware.measure.backends import build_forward
from surrogate_nas.hardware.measure.timing import THREAD
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Pass = Callable[[], object]
WARM_UPS = (0, 1, 2, 3, 5, 10)
_ALONE_PASSES = 200


def in_turns(passes: Sequence[Pass], untimed: int, rounds: int) -> NDArray[np.float64]:
    """Returns the median seconds of the pass that follows some untimed ones, in turns, shape (networks,)."""
    seconds = np.zeros((rounds, len(passes)))
    for row in range(rounds):
        for column, one_pass in enumerate(passes):
            for _ in range(untimed):
                one_pass()
            start = THREAD.now()
            one_pass()
            seconds[row, column] = THREAD.now() - start
    return np.asarray(np.median(seconds, axis=0))


def alone(passes: Sequence[Pass]) -> NDArray[np.float64]:
    """Returns the median seconds of a pass of each network by itself, shape (networks,)."""
    return np.array([float(in_turns([one], 0, _ALONE_PASSES)[0]) for one in passes])


@app.command(name="warm_up")
def warm_up(
    space: Annotated[str, typer.Option(help="A space, by name or path.")] = "efficientnet_lite0",
    side: Annotated[int, typer.Option(min=8, help="Pixels of a side.")] = 64,
    networks: Annotated[int, typer.Option(min=2, help="Networks that are timed in turns.")] = 24,
    rounds: Annotated[int, typer.Option(min=3, help="Samples of each.")] = 25,
    seed: Annotated[int, typer.Option(min=0, help="Draws the networks.")] = 0,
) -> None:
    """Prints how much longer than alone a pass takes, by the number of untimed passes before it."""
    loaded = load_space(space)
    sizes = replace(loaded.network, image_size=side)
    example = torch.zeros(1, sizes.input_channels, side, side)
    passes: list[Pass] = []
    for code in loaded.effective(loaded.sample(networks, np.random.default_rng(seed))):
        forward = build_forward("onnx", build_network(loaded, code, sizes).eval(), example, 1)
        passes.append(partial(forward, example))
    found = {untimed: in_turns(passes, untimed, rounds) for untimed in WARM_UPS}
    by_itself = alone(passes)
    say(f"{space}, {side} pixels, {networks} networks; alone {np.median(by_itself) * 1e3:.3f} ms (median)\n")
    say("| untimed passes | longer than alone, median | 5% to 95% of networks |\n| --- | --- | --- |")
    for untimed, seconds in found.items():
        low, middle, high = np.quantile(seconds / by_itself, [0.05, 0.5, 0.95])
        say(f"| {untimed} | {middle:.2f} times | {low:.2f} to {high:.2f} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.warm_up", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Times a training step and an evaluated subnet of a supernet, next to the time of the arithmetic alone.

python -m benchmarks.supernet_speed
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from surrogate_nas._processes.allocator import keep_freed_memory
from surrogate_nas._support.processors import processor_count
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes
from surrogate_nas.supernet.evaluation import evaluate
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.training import train_step

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

REFERENCE_MS = {(16, 5, 32): 752.0, (16, 1, 16): 68.0, (8, 1, 16): 35.0}
"""Milliseconds a step of DYNAS's code (arXiv 2503.10740) by channels, cells and image size: 64 images, 2 threads."""

_BACKWARD = 2  # a backward pass multiplies twice as often as a forward pass: for the input and for the weights
_EVALUATION_IMAGES = (1000, 2000)  # to recalibrate with, and to judge by
_EVALUATION_BATCH = 250


@dataclass(frozen=True)
class Setup:
    """The timed setup: a supernet's sizes, images per step and threads."""

    channels: int
    cells: int
    image_size: int
    batch: int
    threads: int

    @property
    def network(self) -> NetworkSpec:
        """Sizes of the supernet."""
        return NetworkSpec(self.channels, self.cells, self.image_size)


def matrix_rate() -> float:
    """Returns the best rate of a float32 matrix product on the threads that are set, in operations a second."""
    best = 0.0
    for side in (512, 1024, 2048):
        a, b = torch.randn(side, side), torch.randn(side, side)
        for _ in range(5):
            began = time.perf_counter()
            a @ b
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
    return best


def measure(space: CellSpace, setup: Setup, subnets: int, repeats: int) -> dict[str, float | int]:
    """Times training steps and evaluations on random images.

    Args:
        space: A space of cells.
        setup: What to time.
        subnets: Random subnets to average over; the same ones in every set-up.
        repeats: Times that every subnet's step is taken; its median counts, so that a disturbed one does not.

    Returns:
        The set-up; ``step_ms``, ``evaluate_ms`` a subnet (recorded on 1,000 images and judged by 2,000); ``floor_ms``,
        the multiplications of a step, forward and backward, at this machine's rate of matrix products.
    """
    torch.set_num_threads(setup.threads)
    codes = space.all_codes()
    codes = codes[space.is_connected(codes)]
    codes = codes[np.random.default_rng(0).integers(len(codes), size=subnets)]
    macs = float(space.flops(space.effective(codes), setup.network).mean())
    network = SharedNetwork(space, setup.network)
    initialise(network, 0)
    network.to(memory_format=torch.channels_last)
    floor = 2 * (1 + _BACKWARD) * macs * setup.batch / matrix_rate()
    return {
        "channels": setup.channels,
        "cells": setup.cells,
        "image_size": setup.image_size,
        "batch": setup.batch,
        "threads": setup.threads,
        "step_ms": 1e3 * _step_seconds(network, codes, setup, repeats),
        "floor_ms": 1e3 * floor,
        "evaluate_ms": 1e3 * _evaluation_seconds(network, codes[: max(1, subnets // 5)], setup),
    }


def _step_seconds(network: SharedNetwork, codes: Codes, setup: Setup, repeats: int) -> float:
    images, labels = _images(setup.batch, setup)
    momenta = Momenta(network, SupernetSettings())
    medians = []
    for code in codes.tolist():
        step = Step((tuple(code),), 0.01, (1.0,), (0,))
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            train_step(network, momenta, step, images, labels, 5.0)
            times.append(time.perf_counter() - began)
        medians.append(median(times))
    return float(np.mean(medians))


def _evaluation_seconds(network: SharedNetwork, codes: Codes, setup: Setup) -> float:
    parts = [
        [_images(_EVALUATION_BATCH, setup) for _ in range(number // _EVALUATION_BATCH)] for number in _EVALUATION_IMAGES
    ]
    network.eval()
    times = []
    for code in codes.tolist():
        began = time.perf_counter()
        evaluate(network, tuple(code), parts[0], parts[1])
        times.append(time.perf_counter() - began)
    return float(np.mean(times))


def _images(number: int, setup: Setup) -> tuple[Tensor, Tensor]:
    images = torch.randn(number, 3, setup.image_size, setup.image_size).contiguous(memory_format=torch.channels_last)
    return images, torch.randint(10, (number,))


@app.command()
def supernet_speed(
    space: Annotated[str, typer.Option(help="Name of a space of cells.")] = "nasbench201",
    channels: Annotated[int | None, typer.Option(help="Channels; needs --cells and --image-size too.")] = None,
    cells: Annotated[int | None, typer.Option(help="Cells per stage.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Pixels per side.")] = None,
    batch: Annotated[int, typer.Option(help="Images per step.")] = 64,
    threads: Annotated[str, typer.Option(help="Numbers of threads, such as 1,2; every core if not given.")] = "",
    subnets: Annotated[int, typer.Option(help="Random subnets to average over.")] = 25,
    repeats: Annotated[int, typer.Option(help="Steps per subnet, of which the median counts.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Milliseconds per training step and per evaluated subnet; the rest of the machine should be idle."""
    loaded = load_space(space)
    if not isinstance(loaded, CellSpace):
        raise SettingsError(f"--space must be a space of cells (got {space})")
    if channels and cells and image_size:
        sizes = [(channels, cells, image_size)]
    elif channels is cells is image_size is None:
        sizes = list(REFERENCE_MS)
    else:
        raise SettingsError("--channels, --cells and --image-size must be given together, each at least 1")
    keep_freed_memory()
    if not as_json:
        say("   C  N  size  batch  threads   step ms  floor ms  step/floor  evaluate ms  reference step ms")
    for number in _threads(threads):
        for size in sizes:
            row = measure(loaded, Setup(*size, batch, number), subnets, repeats)
            say(json.dumps(row) if as_json else _line(row))


def _threads(text: str) -> list[int]:
    cores = processor_count()
    if not text:
        return sorted({1, cores})
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"--threads must be numbers such as 1,2 (got {text!r})") from None
    if not all(1 <= number <= cores for number in numbers):
        raise SettingsError(f"--threads must be 1 to {cores}, the cores of this machine (got {text!r})")
    return numbers


def _line(row: dict[str, float | int]) -> str:
    size = (int(row["channels"]), int(row["cells"]), int(row["image_size"]))
    reference = REFERENCE_MS.get(size) if (row["batch"], row["threads"]) == (64, 2) else None
    return (
        f"{row['channels']:>4} {row['cells']:>2}  {row['image_size']:>4}  {row['batch']:>5}  {row['threads']:>7}"
        f"  {row['step_ms']:>8.1f}  {row['floor_ms']:>8.1f}  {row['step_ms'] / row['floor_ms']:>10.1f}"
        f"  {row['evaluate_ms']:>11.0f}  {'' if reference is None else f'{reference:.0f}'}"
    ).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.supernet_speed", arguments)


if __name__ == "__main__":
    sys.exit(main())

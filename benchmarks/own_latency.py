"""Measures how far predicted latencies are from measured ones, on this machine and on networks not yet seen.

python -m benchmarks.own_latency --channels 16 --cells 5 --image-size 32 --networks 20 --seeds 3
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.confidence import cautious
from surrogate_nas.hardware.cost_models import cost_model
from surrogate_nas.hardware.settings import Backend, HardwareSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

CONFIDENCE = 0.95
_LISTED, _DRAWN = 100_000, 200  # larger spaces are drawn from, since they may be too large to enumerate

_HEAD = "seed  set-up s  stated %  drift %  median %  largest %    tau  caution %  kept %  noisy"


def measure(
    space: Space, network: NetworkSpec, settings: HardwareSettings, networks: int, seed: int
) -> dict[str, float | int | None]:
    """Returns one row: makes the latency model again, then measures other networks whole.

    Args:
        space: The search space.
        network: The deployed network.
        settings: Device and back-end.
        networks: How many other networks, at random among connected ones of distinct classes.
        seed: Decides these and those that correct the profile.

    Raises:
        SettingsError: If fewer than 2 networks are requested, or more than there are.
    """
    rng = np.random.default_rng(seed)
    listed = space.all_codes() if space.size <= _LISTED else space.sample(max(networks, _DRAWN), rng)
    classes = np.unique(space.canonical(listed), axis=0)
    candidates = classes[space.is_connected(classes)]
    if not 2 <= networks <= len(candidates):
        raise SettingsError(f"--networks must be between 2 and {len(candidates)} (got {networks})")
    codes = candidates[rng.permutation(len(candidates))[:networks]]
    # A cache of its own: what this machine measured before would not be a test.
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        model = cost_model(space, network, settings, seed=seed, cache=Path(cache))
        predicted = model.evaluate(codes)["latency_ms"]
        seconds = time.perf_counter() - began
        measured = model.measure_architectures(codes)
    truth = np.array([one.median_ms for one in measured])
    errors = 100 * np.abs(predicted / truth - 1)
    stated = model.relative_error("latency_ms")
    upper = cautious(predicted, model.held_out_errors("latency_ms"), CONFIDENCE)
    return {
        "seed": seed,
        "seconds": seconds,
        "stated_percent": None if stated is None else 100 * stated,
        "drift_percent": 100 * model.describe()["latency_ms"]["drift"],
        "median_error_percent": float(np.median(errors)),
        "largest_error_percent": float(errors.max()),
        "kendall_tau": kendall_tau(predicted, truth),
        "caution_percent": 100 * float(upper[0] / predicted[0] - 1),
        "kept_percent": 100 * float(np.mean(truth <= upper)),
        "noisy": sum(one.noisy for one in measured),
    }


@app.command()
def own_latency(
    channels: Annotated[int, typer.Option(help="Channels of the first stage.")] = 16,
    cells: Annotated[int, typer.Option(help="Cells per stage.")] = 5,
    image_size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 32,
    space: Annotated[str, typer.Option(help="Search space by name or path.")] = "nasbench201",
    networks: Annotated[int, typer.Option(help="Networks that the prediction has not seen.")] = 20,
    backend: Annotated[Backend, typer.Option(help="Runs the networks.")] = "auto",
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with so many seeds.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Compares predicted with measured latencies of whole networks."""
    loaded = load_space(space)
    spec = NetworkSpec(channels, cells, image_size, stages=loaded.network.stages)
    settings = HardwareSettings(device="cpu", backend=backend)
    rows = [measure(loaded, spec, settings, networks, seed) for seed in range(seeds)]
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    lines = [
        f"{row['seed']:4d}  {row['seconds']:8.1f}  {row['stated_percent']:8.1f}  {row['drift_percent']:7.1f}"
        f"  {row['median_error_percent']:8.1f}  {row['largest_error_percent']:9.1f}  {row['kendall_tau']:5.3f}"
        f"  {row['caution_percent']:9.1f}  {row['kept_percent']:6.0f}  {row['noisy']:5d}"
        for row in rows
    ]
    say("\n".join([_HEAD, *lines]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.own_latency", arguments)


if __name__ == "__main__":
    sys.exit(main())

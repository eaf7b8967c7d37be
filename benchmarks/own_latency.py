"""Measures how far predicted latencies are from measured ones, on this machine and on networks not yet seen.

python -m benchmarks.own_latency --channels 16 --cells 5 --image-size 32 --networks 20 --seeds 3
python -m benchmarks.own_latency --networks 20 --later 10 --loads idle,busy,bursts

With ``--later`` the networks are measured some minutes after the profile, while the machine does other work: that is
how finalists of a study are measured. ``busy`` computes on every core, ``bursts`` for about half of the time.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from surrogate_nas._support.processors import processor_count
from surrogate_nas.cli.command_line import complain, run_command, say
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

_BURST_SECONDS = 3.0
_HEAD = "load    seed  set-up s  stated %  drift %  median %  largest %    tau  caution %  kept %  noisy"


class Load(StrEnum):
    """Other work on the machine."""

    IDLE = "idle"
    BUSY = "busy"
    BURSTS = "bursts"


def _work(load: Load, seed: int) -> None:
    """Computes for ever; in bursts of random lengths if that is the load."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((256, 256))
    while True:
        until = time.monotonic() + rng.exponential(_BURST_SECONDS)
        while time.monotonic() < until:
            matrix @ matrix
        if load == Load.BURSTS:
            time.sleep(rng.exponential(_BURST_SECONDS))


@contextmanager
def under(load: Load) -> Iterator[None]:
    """Runs a block while every core of the machine has a load."""
    count = 0 if load == Load.IDLE else processor_count()
    workers = [get_context("spawn").Process(target=_work, args=(load, seed), daemon=True) for seed in range(count)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


@dataclass(frozen=True)
class Later:
    """The time at which networks are measured.

    Attributes:
        minutes: Time between the profile and them.
        load: Other work on the machine from the end of the profile on.
    """

    minutes: float = 0.0
    load: Load = Load.IDLE


NOW = Later()


def measure(
    space: Space, network: NetworkSpec, settings: HardwareSettings, networks: int, seed: int, later: Later = NOW
) -> dict[str, float | int | str | None]:
    """Returns one row: makes the latency model again, then measures other networks whole.

    Args:
        space: The search space.
        network: The deployed network.
        settings: Device and back-end.
        networks: How many other networks, at random among connected ones of distinct classes.
        seed: Decides these, and the networks that correct the profile.
        later: When they are measured.

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
    complain(f"seed {seed}, {later.load}: profile ...")
    # A cache of its own: what this machine measured before would not be a test.
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        model = cost_model(space, network, settings, seed=seed, cache=Path(cache))
        predicted = model.evaluate(codes)["latency_ms"]
        seconds = time.perf_counter() - began
        complain(f"seed {seed}, {later.load}: waiting for {later.minutes:g} minutes ...")
        with under(later.load):
            time.sleep(60 * later.minutes)
            complain(f"seed {seed}, {later.load}: {networks} other networks ...")
            measured = model.measure_architectures(codes)
    truth = np.array([one.median_ms for one in measured])
    errors = 100 * np.abs(predicted / truth - 1)
    stated = model.relative_error("latency_ms")
    upper = cautious(predicted, model.held_out_errors("latency_ms"), CONFIDENCE)
    return {
        "load": later.load.value,
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
    whole_networks: Annotated[int, typer.Option(min=0, help="Whole networks that correct the profile.")] = 16,
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with so many seeds.")] = 3,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 0,
    later: Annotated[float, typer.Option(min=0, metavar="MINUTES", help="Time between profile and networks.")] = 0.0,
    loads: Annotated[str, typer.Option(help="Other work in the meantime: some of idle,busy,bursts.")] = "idle",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Compares predicted with measured latencies of whole networks."""
    loaded = load_space(space)
    spec = NetworkSpec(channels, cells, image_size, stages=loaded.network.stages)
    settings = HardwareSettings(device="cpu", backend=backend, whole_networks=whole_networks)
    if unknown := [name for name in loads.split(",") if name not in list(Load)]:
        raise SettingsError(f"--loads must be some of {', '.join(Load)} (got {unknown[0]!r})")
    times = [Later(later, Load(name)) for name in loads.split(",")]
    rows = [
        measure(loaded, spec, settings, networks, seed, when)
        for seed in range(first_seed, first_seed + seeds)
        for when in times
    ]
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    lines = [
        f"{row['load']:6}  {row['seed']:4d}  {row['seconds']:8.1f}  {row['stated_percent']:8.1f}"
        f"  {row['drift_percent']:7.1f}"
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

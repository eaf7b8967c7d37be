"""Estimates a study of large images on a cluster, from sizes and rates that it measures on this machine.

python -m benchmarks.scale --images 1281167 --pixels 224 --gpus 64

The first table is measured here. The second follows from it, from the options, and from the assumed speed of a GPU.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.cluster import TwoMachines
from surrogate_nas._processes.ray_workers import RayWorkers, Share
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.labels.records import LabelBatch, LabelIdentity
from surrogate_nas.labels.store import LabelStore
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import draw
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.checkpoint import Checkpoint, save_checkpoint
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_QUESTIONS = 200  # that the driver asks one worker
_ASKED_EACH = 2  # times a second, of every worker (_ASK_SECONDS of the workers of a cluster)
_PASSES = 3  # of arithmetic in a step: one forward, and two backward for inputs and weights
_DRAWS = 100


@dataclass(frozen=True)
class Measured:
    """Sizes and rates of this machine.

    Attributes:
        checkpoint_bytes: Of one supernet, with momenta.
        checkpoint_seconds: To write it.
        label_seconds: To append the labels of one evaluation job and flush them.
        questions: Of the driver that workers of a Ray cluster answer, each second; None without Ray.
        multiplications: Of a forward pass of a drawn architecture, for one image.
    """

    checkpoint_bytes: int
    checkpoint_seconds: float
    label_seconds: float
    questions: float | None
    multiplications: float


def measured(space: Space, pixels: int, folder: Path) -> Measured:
    """Measures everything with the supernet of a space."""
    network = replace(space.network, image_size=pixels)
    plan = make_plan(space, network, SupernetSettings(), seed=0)
    weights = dict(plan.build(0).named_parameters())
    path = folder / "supernet.safetensors"
    state = Checkpoint(0, weights, [{name: torch.zeros_like(one) for name, one in weights.items()}], torch.zeros(200))
    begun = time.monotonic()
    save_checkpoint(path, state, {"member": "0"})
    written = time.monotonic() - begun
    codes = draw(space, _DRAWS, "uniform", np.random.default_rng(0))
    return Measured(
        path.stat().st_size,
        written,
        _label_seconds(space, codes[:10], folder / "labels.h5"),
        _questions(folder),
        float(space.flops(codes, network).mean()),
    )


def _label_seconds(space: Space, codes: np.ndarray, path: Path) -> float:
    identity = LabelIdentity.of_space(space, data_fingerprint="0" * 16, code_version="0")
    batch = LabelBatch(codes, np.full(len(codes), 50.0), np.ones(len(codes)), "supernet", 0)
    with LabelStore.open_or_create(path, identity) as store:
        begun = time.monotonic()
        for _ in range(20):
            store.append(batch)
        return (time.monotonic() - begun) / 20


def _questions(folder: Path) -> float | None:
    try:
        import ray  # noqa: F401 - an optional package
    except ImportError:
        return None
    (folder / "witness").touch()
    cluster = TwoMachines(1)
    try:
        with RayWorkers(cluster.address, 1, Share(), folder / "witness") as workers:
            actor = workers._started().actor
            ask = workers._ray.get
            ask(actor.progress.remote())
            begun = time.monotonic()
            ask([actor.progress.remote() for _ in range(_QUESTIONS)])
            return _QUESTIONS / (time.monotonic() - begun)
    finally:
        cluster.end()


@app.command(name="scale")
def estimate(
    space: Annotated[str, typer.Option(help="Search space.")] = "images224",
    images: Annotated[int, typer.Option(min=1, help="Training images.")] = 1_281_167,
    pixels: Annotated[int, typer.Option(min=8, help="Side of the images.")] = 224,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of the cluster.")] = 64,
    trainings: Annotated[int, typer.Option(min=1, help="Sub-supernets, which are trained side by side.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each.")] = 60,
    teraflops: Annotated[float, typer.Option(min=0.001, help="Assumed, sustained by one GPU, in training.")] = 5.0,
    labels: Annotated[int, typer.Option(min=1, help="Evaluated architectures.")] = 2000,
    validation: Annotated[int, typer.Option(min=1, help="Images of each evaluation.")] = 10_000,
) -> None:
    """Prints both tables."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(load_space(space), pixels, Path(folder))
    say("| measured here | |\n| --- | ---: |")
    for name, value in _measured_rows(found).items():
        say(f"| {name} | {value} |")
    work = 2 * found.multiplications / (teraflops * 1e12)  # seconds of a forward pass of one image
    at_once = min(gpus, trainings)
    rows = {
        "images, uint8: images x 3 x side^2": f"{images * 3 * pixels**2 / 1e9:,.0f} GB",
        f"GPUs that train supernets: min(GPUs, {trainings} trainings)": f"{at_once} of {gpus}",
        f"one supernet, {epochs} epochs: images x epochs x {_PASSES} x work": _time(images * epochs * _PASSES * work),
        f"all supernets: x {trainings} / {at_once}": _time(images * epochs * _PASSES * work * trainings / at_once),
        "checkpoints, each 30 s: trainings x bytes / 30": f"{at_once * found.checkpoint_bytes / 30e6:,.1f} MB/s",
        "labels: labels x images x work / GPUs": _time(labels * validation * work / gpus),
        f"questions of the driver: {_ASKED_EACH} x GPUs": f"{_ASKED_EACH * gpus} a second",
        "flushes of labels: labels / 10 x seconds": _time(labels / 10 * found.label_seconds),
    }
    say(f"\n| follows, if a GPU sustains {teraflops:g} TFLOP/s (assumed) | |\n| --- | ---: |")
    for name, value in rows.items():
        say(f"| {name} | {value} |")


def _measured_rows(found: Measured) -> dict[str, str]:
    questions = "no Ray here" if found.questions is None else f"{found.questions:,.0f} a second"
    return {
        "checkpoint of one supernet, weights and momenta": f"{found.checkpoint_bytes / 1e6:,.1f} MB",
        "time to write it": f"{found.checkpoint_seconds:.2f} s",
        "time to append and flush 10 labels": f"{1000 * found.label_seconds:.1f} ms",
        "questions that a worker of a Ray cluster answers": questions,
        "multiply-accumulates of a forward pass, mean of 100 draws": f"{found.multiplications / 1e6:,.0f} M",
    }


def _time(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.scale", arguments)


if __name__ == "__main__":
    sys.exit(main())

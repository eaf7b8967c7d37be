"""Measures how long a predictor takes for many architectures, and how much memory.

python -m benchmarks.scoring --count 1000000
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.peak_memory import peak_memory_mb
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.ensemble import Ensemble
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.testing.spaces import live_operations

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_LABELS = 200


def measure(count: int, model: str, space_name: str, distinct: bool) -> dict[str, float | int | str]:
    """Fits a predictor with the default settings to made-up labels and times one call of ``predict``.

    Args:
        count: Architectures to score, drawn at random.
        model: Kind of model.
        space_name: Name of a space.
        distinct: Whether every architecture goes through the members. A space of cells holds far fewer distinct ones
            than a million, and a prediction computes isomorphic ones once; in a large space nothing is saved that way.

    Raises:
        SettingsError: If the count is not positive or the model unknown.
    """
    if count < 1:
        raise SettingsError(f"the number of architectures to score must be at least 1 (got {count})")
    if model not in MODELS:
        raise SettingsError(f"unknown model {model!r}; choose from {', '.join(MODELS)}")
    space = load_space(space_name)
    settings = PredictorSettings.model_validate({"model": model, "steps": 20})
    rng = np.random.default_rng(0)
    labelled = np.unique(space.canonical(space.sample(_LABELS, rng)), axis=0)
    ensemble = Ensemble(space, settings)
    ensemble.fit(labelled, live_operations(space, labelled) + rng.normal(size=len(labelled)), seed=0)
    codes = space.sample(count, rng)
    began = time.perf_counter()
    if distinct:
        np.mean([member.score(codes) for member in ensemble.members], axis=0)
    else:
        ensemble.predict(codes)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "peak_memory_mb": peak_memory_mb(),
        "count": count,
        "model": model,
        "members": settings.ensemble,
        "threads": torch.get_num_threads(),
    }


@app.command()
def scoring(
    count: Annotated[int, typer.Option(help="Architectures to score.")] = 1_000_000,
    model: Annotated[str, typer.Option(help=f"Kind of model: {', '.join(MODELS)}.")] = "gcn",
    space: Annotated[str, typer.Option(help="Name of a space.")] = "nasbench201",
    distinct: Annotated[
        bool, typer.Option("--distinct", help="Compute every architecture, isomorphic and repeated ones too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Time and peak memory of scoring many architectures with an ensemble of the default settings."""
    result = measure(count, model, space, distinct)
    if as_json:
        say(json.dumps(result))
        return
    say(
        f"{count:,} architectures, {model}, {result['members']} members, {result['threads']} threads:"
        f" {result['seconds']:.2f} s, peak {result['peak_memory_mb']:,.0f} MB"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.scoring", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Measures how well a predictor orders trained networks, from M labels of a supernet and N trained networks.

python -m benchmarks.predictor --labels CSV --column NAME --truth CSV --train 1000 --trained 20
    ... --votes FOLDER/snas-1.csv                                         (what a distribution over architectures adds)
"""

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.intervals import mean_and_interval
from benchmarks.learned_votes import read_votes
from benchmarks.unlabelled import fit_unlabelled
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion.priors import ExtraScores, with_vote
from surrogate_nas.predictor.fusion.zero_cost_votes import votes_of
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.predictor import fit_predictor
from surrogate_nas.predictor.protocol import FittedModel, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.ranking import kendall_tau, regret, top_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.zero_cost.cached import cached_table, can_be_scored, table_path
from surrogate_nas.zero_cost.settings import ZeroCostSettings
from surrogate_nas.zero_cost.table import read_table

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

REVEALED, TRUTH = "cifar10_valid", "cifar10_test"
RECIPES = ("fusion", "labels")
FIGURES = ("tau", "top10_tau", "regret_top1", "regret_top10")


@dataclass(frozen=True)
class Tables:
    """The known figures of every architecture of a space, in the order of ``space.all_codes()``; NaN if unknown.

    Attributes:
        label_percent: Accuracy that the supernet gave, shape (size,).
        revealed_percent: Validation accuracy after training, shape (size,), which a predictor may be shown.
        truth_percent: Test accuracy after training, shape (size,), which it may not.
        classes: Isomorphism class of each, shape (size,).
    """

    label_percent: Floats
    revealed_percent: Floats
    truth_percent: Floats
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """Positions of architectures in ``Tables``: what one seed shows to a predictor, and what it is asked."""

    supernet: NDArray[np.int64]
    trained: NDArray[np.int64]
    asked: NDArray[np.int64]


def read_tables(space: Space, labels: Path | None, column: str | None, truth: Path) -> Tables:
    """Reads the files.

    Raises:
        SettingsError: If a column of the labels is not named.
        TruthError: If a file cannot be read, is of another space, or lacks a column.
    """
    if labels is not None and column is None:
        raise SettingsError(f"--labels needs --column, the name of one of its columns: {labels}")
    revealed = read_truth(truth, space, REVEALED).accuracy_percent
    label = np.full(space.size, np.nan)
    if labels is not None:
        label = read_truth(labels, space, column).accuracy_percent
    classes = space.index(space.canonical(space.all_codes()))
    return Tables(label, revealed, read_truth(truth, space, TRUTH).accuracy_percent, classes)


def draw(tables: Tables, train: int, trained: int, seed: int, new_networks: bool = False) -> Draw:
    """Draws M labelled and N trained architectures at random, all different; the rest is what is asked about.

    Of a thousand labels in NAS-Bench-201, about half of the rest is isomorphic to a labelled one, and a predictor
    knows that. Without these, what is asked about has fewer isomorphic forms than the space, and so is harder to order.

    Args:
        tables: The known figures.
        train: M.
        trained: N.
        seed: Decides the draw.
        new_networks: Whether nothing is asked that is isomorphic to what is shown.

    Raises:
        SettingsError: If there are not as many, or fewer than two are left to ask about.
    """
    order = np.random.default_rng(seed).permutation(len(tables.truth_percent))
    supernet = order[np.isfinite(tables.label_percent[order])][:train]
    left = order[~np.isin(order, supernet)]
    shown = left[np.isfinite(tables.revealed_percent[left])][:trained]
    for what, option, asked, got in (("labels", "train", train, supernet), (REVEALED, "trained", trained, shown)):
        if len(got) < asked:
            raise SettingsError(f"--{option} {asked} needs as many architectures with {what} (there are {len(got)})")
    left = left[~np.isin(left, shown)]
    if new_networks:
        left = left[~np.isin(tables.classes[left], tables.classes[np.concatenate([supernet, shown])])]
    asked_about = left[np.isfinite(tables.truth_percent[left])]
    if len(asked_about) < 2:
        raise SettingsError(f"--train and --trained leave {len(asked_about)} architectures to ask about; 2 are needed")
    return Draw(supernet, shown, asked_about)


def zero_cost(space: Space, scores: Path | None) -> ExtraScores:
    """Returns zero-cost scores from a file, or from this machine's cache, which is filled first where it is empty.

    Raises:
        StoreError: If the file is not one of zero-cost scores.
        SpaceError: If the space cannot be scored.
    """
    if scores is not None:
        table = read_table(scores, space)
    else:
        settings = ZeroCostSettings()
        if not table_path(space, settings).exists():
            typer.echo(f"zero-cost scores: computed once for {space.name}, some minutes on one core ...", err=True)
        table = cached_table(space, settings)
    return votes_of(table)


def fit_draw(
    space: Space,
    tables: Tables,
    drawn: Draw,
    settings: PredictorSettings,
    seed: int,
    extra: ExtraScores | None = None,
) -> FittedModel:
    """Fits the predictor of studies to what a draw shows; the truth takes no part.

    Without labels it is what is known without a supernet; under the recipe of labels alone, trained networks are the
    labels then.
    """
    codes = space.all_codes()
    labels = SourceLabels(codes[drawn.supernet], tables.label_percent[drawn.supernet])
    trained = SourceLabels(codes[drawn.trained], tables.revealed_percent[drawn.trained])
    if settings.recipe == "labels":
        shown = labels if len(labels) else trained
        return fit_predictor(space, shown.codes, shown.values, shown.values, settings, seed)
    if not len(labels):
        return fit_unlabelled(space, settings, trained if len(trained) else None, seed=seed, extra=extra)
    fitted = fit_predictor(space, labels.codes, labels.values, labels.values, settings, seed, extra=extra)
    return fitted.with_trained(trained, seed).ranking if len(trained) else fitted


def figures(scores: Floats, truth_percent: Floats) -> dict[str, float]:
    """Returns the four figures of one seed, over the architectures that were asked about, shape (N,) both."""
    return {
        "tau": kendall_tau(scores, truth_percent),
        "top10_tau": top_tau(scores, truth_percent),
        "regret_top1": regret(scores, truth_percent),
        "regret_top10": regret(scores, truth_percent, best_of=10),
    }


def check_options(train: int, trained: int, seeds: int, model: str, recipe: str) -> None:
    """Checks the request before anything takes time.

    Raises:
        SettingsError: If a number is out of range, or a name unknown.
    """
    for option, value, least in (("--train", train, 0), ("--trained", trained, 0), ("--seeds", seeds, 1)):
        if value < least:
            raise SettingsError(f"{option} must be at least {least} (got {value})")
    for what, name, known in (("model", model, (*MODELS, "auto")), ("recipe", recipe, RECIPES)):
        if name not in known:
            raise SettingsError(f"unknown {what} {name!r}; choose from {', '.join(known)}")


def measure(
    space: Space,
    tables: Tables,
    train: int,
    trained: int,
    seeds: int,
    model: str,
    recipe: str,
    extra: ExtraScores | None = None,
    new_networks: bool = False,
) -> dict[str, float | str]:
    """Returns the mean and interval of every figure over seeds 0 to ``seeds`` - 1.

    Raises:
        SettingsError: If there are not as many labels, or they cannot be learnt from.
    """
    settings = PredictorSettings.model_validate({"model": model, "recipe": recipe})
    codes, began = space.all_codes(), time.perf_counter()
    runs = []
    for seed in range(seeds):
        drawn = draw(tables, train, trained, seed, new_networks)
        predictor = fit_draw(space, tables, drawn, settings, seed, extra)
        runs.append(figures(predictor.predict(codes[drawn.asked]).mean, tables.truth_percent[drawn.asked]))
    result: dict[str, float | str] = {}
    for name in FIGURES:
        ends = mean_and_interval([run[name] for run in runs])
        result |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return result | {"model": model, "recipe": recipe, "seconds": time.perf_counter() - began}


def table(result: dict[str, float | str]) -> str:
    """Returns the figures as text, one line each."""
    lines = [f"{result['model']}, recipe {result['recipe']}, {result['seconds']:.1f} s"]
    for name in FIGURES:
        lines.append(f"{name:12} {result[name]:7.3f}  [{result[f'{name}_low']:.3f}, {result[f'{name}_high']:.3f}]")
    return "\n".join(lines)


@app.command()
def predictor(
    truth: Annotated[Path, typer.Option(help=f"CSV with columns code, {REVEALED} and {TRUTH}, in percent.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV with a column code and one per supernet, in percent.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="The column of the labels.")] = None,
    train: Annotated[int, typer.Option(help="Labels of the supernet that are shown; 0 for none.")] = 1000,
    trained: Annotated[int, typer.Option(help=f"Trained networks whose {REVEALED} is shown.")] = 0,
    seeds: Annotated[int, typer.Option(help="Draws; the interval is Student's, 95%, of their mean.")] = 3,
    model: Annotated[str, typer.Option(help="Kind of model, as in the settings of the predictor.")] = "gcn",
    recipe: Annotated[str, typer.Option(help=f"What is made of the sources: {', '.join(RECIPES)}.")] = "fusion",
    scores: Annotated[
        Path | None, typer.Option(help="Zero-cost scores that `python -m benchmarks.zero_cost --output` wrote.")
    ] = None,
    votes: Annotated[
        Path | None, typer.Option(help="Another vote in the prior, from `python -m benchmarks.gradient --votes`.")
    ] = None,
    new_networks: Annotated[
        bool, typer.Option("--new-networks", help="Ask about nothing that is isomorphic to what is shown.")
    ] = False,
    use_zero_cost: Annotated[
        bool, typer.Option("--zero-cost/--no-zero-cost", help="Let zero-cost scores vote, computed where need be.")
    ] = True,
    space: Annotated[str, typer.Option(help="Name of a space, or a .toml file.")] = "nasbench201",
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ranking quality on the architectures whose labels were not used, against their test accuracy after training."""
    if train > 0 and labels is None:
        raise SettingsError(f"--train {train} needs --labels and --column; --train 0 does without")
    check_options(train, trained, seeds, model, recipe)
    if votes is not None and recipe != "fusion":
        raise SettingsError(f"--votes needs --recipe fusion: {recipe} has no votes")
    torch.set_num_threads(threads)
    loaded = load_space(space)
    tables = read_tables(loaded, labels if train > 0 else None, column, truth)
    extra = zero_cost(loaded, scores) if recipe == "fusion" and use_zero_cost and can_be_scored(loaded) else None
    if votes is not None:
        extra = with_vote(extra, read_votes(votes, loaded))
    result = measure(loaded, tables, train, trained, seeds, model, recipe, extra, new_networks)
    if as_json:
        plain = {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in result.items()
            if name != "recipe"
        }
        say(json.dumps(plain))
        return
    say(table(result))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.predictor", arguments)


if __name__ == "__main__":
    sys.exit(main())

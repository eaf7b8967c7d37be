"""Compares ways to choose the few networks that a study trains, on a space where all were trained.

python -m benchmarks.variations --truth CSV --validation cifar10_valid --test cifar10_test --named 303101,313131

Each row spends the same number of trainings within a budget of parameters. The best of them by validation is the
answer, and its test accuracy counts: the gap to the best architecture within the budget, in percentage points. Named
architectures stand for networks that people know. The score of the predictor says nothing, as on ``images32``.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.intervals import mean_and_interval
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.search.settings import LoopSettings, ResidualSettings
from surrogate_nas.search.trainings.loop import Beginning, learn_by_training
from surrogate_nas.search.trainings.residual import ResidualProcess
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import varied
from surrogate_nas.space.space import Codes, Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_BAND = 1.5  # draws cost at least two thirds of the budget, as in a study
_PARENTS = 2
_LARGEST_OF = 100
_BATCH = 2000
_OF_EACH = 8  # variations for every training
SHARES = (0.25, 0.5, 0.65, 0.8, 0.95)
"""Shares of the space that keep the budgets."""


@dataclass(frozen=True)
class Trained:
    """A space whose architectures were all trained.

    Attributes:
        space: The space.
        codes: All connected architectures, shape (N, D).
        validation: Their accuracies in percent by which answers are chosen, shape (N,).
        test: Their accuracies that count, shape (N,).
        cost: What the budget is on, shape (N,).
        named: Rows of the architectures with a name.
    """

    space: Space
    codes: Codes
    validation: NDArray[np.float64]
    test: NDArray[np.float64]
    cost: NDArray[np.float64]
    named: tuple[int, ...] = ()

    def rows_of(self, codes: Codes) -> NDArray[np.int64]:
        """Returns the rows of connected architectures, shape (M, D) to (M,)."""
        order = np.argsort(self.space.index(self.codes))
        found = np.searchsorted(self.space.index(self.codes)[order], self.space.index(codes))
        return np.asarray(order[found], dtype=np.int64)

    def variations(self, parents: Sequence[int], within: NDArray[np.bool_], rng: np.random.Generator) -> list[int]:
        """Returns rows of a batch of variations of some rows that lie within a mask, shape (N,), each once."""
        drawn = varied(self.space, self.codes[list(parents)], _BATCH, rng)
        return [row for row in dict.fromkeys(self.rows_of(drawn).tolist()) if within[row] and row not in parents]


Choose = Callable[[Trained, float, int, np.random.Generator], Sequence[int]]
"""Returns the rows that are trained within a budget."""


def at_random(trained: Trained, limit: float, count: int, rng: np.random.Generator) -> list[int]:
    """Returns architectures just below the budget, drawn at random."""
    band = np.flatnonzero((trained.cost <= limit) & (trained.cost >= limit / _BAND))
    return [int(row) for row in rng.choice(band, min(count, len(band)), replace=False)]


def far_of_both(trained: Trained, limit: float, count: int, rng: np.random.Generator) -> list[int]:
    """Returns the two largest with a name, and variations that draw any number of their decisions again."""
    parents, space = _parents(trained, limit), trained.space
    codes = trained.codes[rng.choice(parents, _BATCH)]
    again = rng.random(codes.shape).argsort(axis=1) < rng.integers(1, space.num_decisions + 1, (_BATCH, 1))
    others = rng.integers(0, [len(decision.choices) for decision in space.decisions], codes.shape)
    codes = space.effective(np.where(again, others, codes).astype(np.int8))
    rows = dict.fromkeys(trained.rows_of(codes[space.is_connected(codes)]).tolist())
    return [*parents, *(row for row in rows if _band(trained, limit)[row] and row not in parents)][:count]


def largest_drawn(trained: Trained, limit: float, count: int, rng: np.random.Generator) -> list[int]:
    """Returns architectures each of which is the largest of a hundred that were drawn within the budget."""
    within = np.flatnonzero(trained.cost <= limit)
    draws = [rng.choice(within, min(_LARGEST_OF, len(within)), replace=False) for _ in range(count)]
    return [int(one[np.argmax(trained.cost[one])]) for one in draws]


def of_both(trained: Trained, limit: float, count: int, rng: np.random.Generator) -> list[int]:
    """Returns the two largest architectures with a name, and variations of both."""
    parents = _parents(trained, limit)
    drawn = trained.variations(parents, _band(trained, limit), rng)
    return [*parents, *drawn][:count]


def of_the_better(trained: Trained, limit: float, count: int, rng: np.random.Generator) -> list[int]:
    """Returns what a study trains: the two largest with a name, and variations of the better one, or of equal ones."""
    parents, band = _parents(trained, limit), _band(trained, limit)
    families = {parent: trained.variations([parent], band, rng)[: _OF_EACH * count] for parent in parents}
    turns = sorted((place, row) for family in families.values() for place, row in enumerate(family))
    drawn = list(dict.fromkeys(row for _, row in turns))
    within = trained.cost <= limit
    process = ResidualProcess(np.zeros(len(within)), np.zeros((len(within), 0)), ResidualSettings(), within[None])
    settings = LoopSettings(trainings=count, rounds=1, first="varied", stop_gain_percent=0)
    return list(
        learn_by_training(
            process,
            lambda rows: trained.validation[list(rows)].tolist(),
            settings,
            Beginning(parents, drawn, variations=families),
        ).rows
    )


ROWS: dict[str, Choose] = {
    "drawn at random": at_random,
    "the largest of 100 drawn, each": largest_drawn,
    "far variations of two with a name": far_of_both,
    "near variations of two with a name": of_both,
    "near variations of the better, or of both if they are close": of_the_better,
}


def _parents(trained: Trained, limit: float) -> list[int]:
    kept = [row for row in trained.named if trained.cost[row] <= limit]
    return sorted(kept, key=lambda row: -trained.cost[row])[:_PARENTS]


def _band(trained: Trained, limit: float) -> NDArray[np.bool_]:
    return np.asarray((trained.cost <= limit) & (trained.cost >= limit / _BAND))


def gap(trained: Trained, limit: float, count: int, choose: Choose, seed: int) -> float:
    """Returns by how many percentage points the answer is behind the best architecture within the budget."""
    rows = list(choose(trained, limit, count, np.random.default_rng(seed)))
    answer = rows[int(np.argmax(trained.validation[rows]))]
    return float(trained.test[trained.cost <= limit].max() - trained.test[answer])


def read_trained(space: Space, truth: Path, validation: str, test: str, named: Sequence[str]) -> Trained:
    """Returns a space with its accuracies.

    Raises:
        SettingsError: If an accuracy is missing.
        TruthError: If the file cannot be used.
        SpaceError: If a code is none of the space.
    """
    connected = space.is_connected(space.all_codes())
    codes = space.all_codes()[connected]
    columns = [read_truth(truth, space, column).accuracy_percent[connected] for column in (validation, test)]
    if np.isnan(columns).any():
        raise SettingsError(f"{truth}: needs accuracies of all connected architectures of {space.name}")
    cost = AnalyticCosts(space, space.network).evaluate(codes)["params"].astype(np.float64)
    found = Trained(space, codes, columns[0], columns[1], cost)
    rows = found.rows_of(space.effective(np.stack([space.parse(text) for text in named])))
    return replace(found, named=tuple(rows.tolist()))


@app.command()
def variations(
    truth: Annotated[Path, typer.Option(metavar="CSV", help="Accuracies of all trained architectures.")],
    validation: Annotated[str, typer.Option(metavar="COLUMN", help="Column by which answers are chosen.")],
    test: Annotated[str, typer.Option(metavar="COLUMN", help="Column that counts.")],
    named: Annotated[str, typer.Option(metavar="CODES", help="Codes of known networks, with commas.")],
    space: Annotated[str, typer.Option(metavar="SPACE", help="The search space.")] = "nasbench201",
    trainings: Annotated[int, typer.Option(metavar="N", min=3, help="Trainings for each answer.")] = 8,
    seeds: Annotated[int, typer.Option(metavar="N", min=2, help="Repetitions.")] = 100,
) -> None:
    """Prints the gap of each way to the best architecture within budgets, in percentage points."""
    trained = read_trained(load_space(space), truth, validation, test, [word.strip() for word in named.split(",")])
    limits = [float(np.quantile(trained.cost, share)) for share in SHARES]
    if not _parents(trained, limits[0]):
        raise SettingsError("no architecture of --named is among the smallest quarter; name a smaller one, too")
    say(f"| {trainings} trainings | " + " | ".join(f"smallest {share:.0%}" for share in SHARES) + " |")
    say("| --- |" + " --- |" * len(SHARES))
    for name, choose in ROWS.items():
        cells = []
        for limit in limits:
            found = [gap(trained, limit, trainings, choose, seed) for seed in range(seeds)]
            cells.append("{:.2f} ({:.2f} to {:.2f})".format(*mean_and_interval(found)))
        say(f"| {name} | " + " | ".join(cells) + " |")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return run_command(app, "python -m benchmarks.variations", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Compares search strategies on one fixed predictor: gap to the scan's optimum, and truth of what the predictor picks.

python -m benchmarks.searchers --labels CSV --column NAME --truth CSV --train 1000 --trials 100,300

The predictor is fixed: one that was fitted to some labels of a column or, with ``--train 0``, the column itself. Every
strategy sees the same scores and the same budget, and a trial is a canonical class not proposed before. The incumbent
after some trials is the best by the predictor; the truth does not choose. With ``--visited`` the best truth among all
proposals is printed as well, as papers have it: it measures how many were proposed, and nobody could pick it.
"""

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.intervals import mean_and_interval
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.predictor.predictor import fit_predictor
from surrogate_nas.predictor.protocol import Floats, Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.search.candidates import Candidates, concatenate
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.selection import best_first, representatives
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

# The others scan a space that can be enumerated, so their gap is 0.
SEARCHERS = tuple(name for name, row in SAMPLERS.items() if not (row.within_list or row.needs_distribution))
TITLES = {
    "gap": "Gap to the scan's optimum, in units of the predictor",
    "found": "Share of seeds that found the optimum",
    "truth": "Truth of the incumbent, percent",
    "visited": "Best truth among the proposals, percent; nobody could pick it",
}
_SAME = 1e-9


@dataclass(frozen=True)
class Scores:
    """A fixed predictor: a score for every architecture of a space, shape (size,)."""

    space: Space
    score: Floats

    def predict(self, codes: Codes) -> Prediction:
        """Returns the scores of codes of shape (N, D), without any doubt."""
        return Prediction(self.score[self.space.index(codes)], np.zeros(len(codes)))


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, and half of Student's 95% interval; None where there are too few values."""

    mean: float | None
    half: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> "Mean":
        """Returns the mean of values, one per seed."""
        mean, low, high = mean_and_interval(values)
        return cls(*(None if math.isnan(value) else value for value in (mean, (high - low) / 2)))

    def text(self, digits: int) -> str:
        """Returns the mean, and the half interval where there is one."""
        return " ± ".join(f"{value:.{digits}f}" for value in (self.mean, self.half) if value is not None) or "-"


@dataclass(frozen=True)
class Row:
    """Figures of one strategy.

    Attributes:
        sampler: Its name.
        proposed: Mean number of proposals of a search.
        ms_per_trial: Time that a proposal took.
        means: Each figure of ``TITLES``, after each number of trials.
    """

    sampler: str
    proposed: float
    ms_per_trial: float
    means: dict[str, list[Mean]]


@dataclass(frozen=True)
class Contest:
    """Everything that is the same for all strategies.

    Attributes:
        evaluator: The predictor's scores of the whole space, and the budget.
        truth_percent: Accuracy of every trained network, shape (size,).
        trials: Numbers of trials after which the incumbent is looked at, rising.
        batch: Proposals scored together.
    """

    evaluator: Evaluator
    truth_percent: Floats
    trials: tuple[int, ...]
    batch: int


def fixed_scores(space: Space, label_percent: Floats, train: int, seed: int) -> Scores:
    """Returns the labels averaged over each canonical class, or the predictor fitted to ``train`` of them.

    Raises:
        SettingsError: If there are not as many labels.
    """
    codes, known = space.all_codes(), np.flatnonzero(np.isfinite(label_percent))
    if len(known) < (train or space.size):
        needed = f"--train {train}" if train else "--train 0"
        raise SettingsError(f"{needed} needs {train or space.size} labels (the column has {len(known)})")
    if train:
        drawn = np.random.default_rng(seed).permutation(known)[:train]
        label = label_percent[drawn]
        return Scores(space, fit_predictor(space, codes[drawn], label, label, PredictorSettings(), seed).score(codes))
    classes = space.index(space.canonical(codes))
    sums, counts = np.bincount(classes, label_percent), np.bincount(classes)
    return Scores(space, (sums / np.maximum(counts, 1))[classes])


def contest(scores: Scores, truth_percent: Floats, trials: tuple[int, ...], batch: int, percentile: float) -> Contest:
    """Returns the contest under a budget on multiply-accumulates, a percentile of connected architectures; 100: none.

    Raises:
        SettingsError: If an architecture has no truth.
    """
    if not np.isfinite(truth_percent).all():
        raise SettingsError("the truth of every architecture of the space is needed")
    costs = AnalyticCosts(scores.space, scores.space.network)
    budgets = []
    if percentile < 100:
        codes = scores.space.all_codes()
        flops = costs.evaluate(codes)["flops"][scores.space.is_connected(codes)]
        budgets = [Budget("flops", float(np.percentile(flops, percentile, method="higher")))]
    return Contest(Evaluator(scores.space, scores, costs, budgets), truth_percent, trials, batch)


def searched(contest: Contest, name: str, seed: int) -> Candidates:
    """Returns what a strategy proposes, in order, until it has made all trials or finds nothing new."""
    settings = SearchSettings.model_validate({"sampler": name, "batch": contest.batch, "trials": contest.trials[-1]})
    sampler = SAMPLERS[name].make(contest.evaluator, settings, seed)
    parts = [contest.evaluator.evaluate(contest.evaluator.space.all_codes()[:0])]
    while sum(map(len, parts)) < settings.trials:
        codes = sampler.propose(contest.batch)
        if not len(codes):
            break
        parts.append(contest.evaluator.evaluate(codes))
        sampler.observe(parts[-1])
    return concatenate(parts)


def figures(contest: Contest, proposed: Candidates) -> dict[str, list[float]]:
    """Returns the figures of one search after each number of trials; NaN where nothing feasible was proposed."""
    whole = contest.evaluator.whole_space()
    optimum = whole.mean[whole.feasible].max()
    result: dict[str, list[float]] = {name: [] for name in TITLES}
    for trials in contest.trials:
        some = proposed.take(np.arange(min(trials, len(proposed))))
        truth = contest.truth_percent[contest.evaluator.space.index(some.codes)]
        order = best_first(some, np.flatnonzero(some.feasible))
        gap = float(optimum - some.mean[order[0]]) if len(order) else math.nan
        result["gap"].append(gap)
        result["found"].append(float(gap <= _SAME))
        result["truth"].append(float(truth[order[0]]) if len(order) else math.nan)
        result["visited"].append(float(truth[order].max()) if len(order) else math.nan)
    return result


def measure(contest: Contest, name: str, seeds: int) -> Row:
    """Runs a strategy once per seed."""
    began = time.perf_counter()
    runs, proposed = [], 0
    for seed in range(seeds):
        found = searched(contest, name, seed)
        proposed += len(found)
        runs.append(figures(contest, found))
    means = {}
    for figure in TITLES:
        columns = zip(*(run[figure] for run in runs), strict=True)
        means[figure] = [Mean.of(column) for column in columns]
    return Row(name, proposed / seeds, 1e3 * (time.perf_counter() - began) / max(proposed, 1), means)


def scan_row(contest: Contest) -> dict[str, float]:
    """Returns the truth of the scan's optimum, and the best truth that keeps the budget."""
    whole, classes = contest.evaluator.whole_space(), contest.evaluator.whole_classes()
    kept = representatives(whole, classes)
    best = int(best_first(whole, kept[whole.feasible[kept]])[0])
    truth = contest.truth_percent
    return {"truth": float(truth[best]), "best_truth": float(truth[whole.feasible].max())}


def tables(rows: Sequence[Row], trials: Sequence[int], *, visited: bool) -> str:
    """Returns Markdown: a table for each figure, a line for each strategy."""
    lines = []
    for figure, title in TITLES.items():
        if figure == "visited" and not visited:
            continue
        lines += [f"{title}:", "", f"| sampler | {' | '.join(f'{count:,}' for count in trials)} |"]
        lines.append("| --- |" + " ---: |" * len(trials))
        for row in rows:
            cells = [mean.text(3 if figure == "gap" else 2) for mean in row.means[figure]]
            lines.append(f"| `{row.sampler}` | {' | '.join(cells)} |")
        lines.append("")
    lines += ["Cost of a trial:", "", "| sampler | proposed | ms a trial |", "| --- | ---: | ---: |"]
    lines += [f"| `{row.sampler}` | {row.proposed:,.0f} | {row.ms_per_trial:.2f} |" for row in rows]
    return "\n".join(lines)


def read_counts(text: str) -> tuple[int, ...]:
    """Returns numbers of trials from text such as ``100,300``, rising.

    Raises:
        SettingsError: If a number is none, or below 1.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise SettingsError(f"--trials takes whole numbers above 0, separated by commas (got {text!r})")
    return tuple(sorted({int(part) for part in parts}))


def read_samplers(text: str) -> list[str]:
    """Returns names of strategies from text, separated by commas.

    Raises:
        SettingsError: If there is no such strategy.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in SEARCHERS:
            raise SettingsError(f"--samplers takes some of {', '.join(SEARCHERS)} (got {name!r})")
    return names


@app.command()
def searchers(
    labels: Annotated[Path, typer.Option(help="CSV with a column code and one per source of labels, in percent.")],
    column: Annotated[str, typer.Option(help="The column of the labels.")],
    truth: Annotated[Path, typer.Option(help="CSV with a column code and accuracies of trained networks.")],
    judged: Annotated[str, typer.Option(help="The column of the truth.")] = "cifar10_test",
    train: Annotated[int, typer.Option(min=0, help="Labels for the predictor; 0: the labels are the scores.")] = 0,
    samplers: Annotated[str, typer.Option(help="Strategies, separated by commas.")] = ",".join(SEARCHERS),
    trials: Annotated[str, typer.Option(help="Numbers of trials, separated by commas.")] = "50,100,200,300",
    batch: Annotated[int, typer.Option(min=2, help="Proposals scored together; the population of evolution.")] = 50,
    percentile: Annotated[
        float, typer.Option(min=10, max=100, help="Budget on multiply-accumulates, a percentile; 100: none.")
    ] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each strategy.")] = 50,
    space: Annotated[str, typer.Option(help="Name of a space that can be enumerated.")] = "nasbench201",
    visited: Annotated[bool, typer.Option("--visited", help="Also the best truth among the proposals.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare search strategies on one fixed predictor."""
    names, counts = read_samplers(samplers), read_counts(trials)
    loaded = load_space(space)
    scores = fixed_scores(loaded, read_truth(labels, loaded, column).accuracy_percent, train, seed=0)
    shared = contest(scores, read_truth(truth, loaded, judged).accuracy_percent, counts, batch, percentile)
    scan = scan_row(shared)
    rows = [measure(shared, name, seeds) for name in names]
    if as_json:
        say(json.dumps({"trials": counts, "seeds": seeds, "scan": scan, "rows": [asdict(row) for row in rows]}))
        return
    say(f"Scan: truth of its optimum {scan['truth']:.2f}, best truth within the budget {scan['best_truth']:.2f}\n")
    say(tables(rows, counts, visited=visited))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.searchers", arguments)


if __name__ == "__main__":
    sys.exit(main())

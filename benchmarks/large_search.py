"""Ways to spend labels in a space too large to enumerate: segments, evolution over a predictor, evolution, chance.

python -m benchmarks.large_search --space mobilenet --labels 300 --seeds 3

No large space has ground truth, so quality is made up: each layer adds what its block is worth there, less the more
capacity there is, neighbours work together or not, and a label is quality plus noise. The budget is on
multiply-accumulates. Every way sees the same number of labels; the figure is how far the quality of its answer is below
the best that evolution and local search on quality itself find, in standard deviations of the architectures that keep
the budget. It says which way finds more in a landscape of this kind; it is not a measurement of networks.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.costs.budget import Budget
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.predictor.ensemble import Ensemble
from surrogate_nas.predictor.features.graph_features import one_hot
from surrogate_nas.predictor.protocol import Codes as AnyCodes
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.samplers.evolution import EvolutionSampler
from surrogate_nas.search.samplers.local_search import climb
from surrogate_nas.search.samplers.segments import SegmentSearch, SegmentSettings, even_segments, search_segments
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.pool import drawn_pool
from surrogate_nas.space.space import Codes, Space

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_SETTINGS = PredictorSettings(model="gcn", width=32, steps=100, ensemble=1)
Floats = NDArray[np.float64]


class Quality:
    """A made-up quality of architectures, itself a predictor of a search.

    Args:
        space: The space.
        rng: Draws what each choice is worth.
    """

    def __init__(self, space: Space, rng: np.random.Generator) -> None:
        self._space = space
        columns = sum(len(decision.choices) for decision in space.decisions)
        self._single = rng.normal(size=columns)
        self._pairs = [
            rng.normal(size=(len(one.choices), len(other.choices)))
            for one, other in zip(space.decisions, space.decisions[1:], strict=False)
        ]

    def __call__(self, codes: Codes) -> Floats:
        """Returns the quality of codes of shape (N, D), shape (N,)."""
        capacity = np.log(self._space.parameters(codes, self._space.network).astype(np.float64))
        single = one_hot(self._space, codes) @ self._single
        pairs = sum(table[codes[:, at], codes[:, at + 1]] for at, table in enumerate(self._pairs))
        return np.asarray(8 * capacity + single + 0.5 * pairs, dtype=np.float64)

    def predict(self, codes: Codes) -> Prediction:
        """Returns the same, without any doubt."""
        return Prediction(self(codes), np.zeros(len(codes)))


@dataclass(frozen=True)
class Task:
    """One landscape, its budget and its labels.

    Attributes:
        space: The space.
        budget: On multiply-accumulates.
        label: Noisy quality of codes.
        labels: How many labels there are to spend.
        seed: Of everything that is drawn.
    """

    space: Space
    budget: Budget
    label: Callable[[Codes], Floats]
    labels: int
    seed: int

    def evaluator(self, predictor: Predictor) -> Evaluator:
        """Returns a search with some predictor under the budget."""
        return Evaluator(self.space, predictor, AnalyticCosts(self.space, self.space.network), [self.budget])


def fitted(task: Task, codes: Codes, labels: Floats) -> Ensemble:
    """Returns a predictor of labels."""
    ensemble = Ensemble(task.space, _SETTINGS)
    ensemble.fit(codes, labels, seed=task.seed)
    return ensemble


def by_climbing(task: Task) -> Codes:
    """Draws uniform labels, fits one predictor, and runs evolution and local search over it."""
    rng = np.random.default_rng([task.seed, 1])
    drawn = drawn_pool(task.space, task.labels, rng).codes
    return climbed(task, fitted(task, drawn, task.label(drawn)), drawn[:0])


def climbed(task: Task, predictor: Predictor, start: Codes) -> Codes:
    """Returns the best that evolution and local search over a predictor find, shape (1, D)."""
    looked = climb(task.evaluator(predictor), lambda some: some.mean, start, np.random.default_rng([task.seed, 2]))
    return looked.codes[np.lexsort((-looked.mean, looked.excess))[:1]]


def by_segments(task: Task, *, then_climb: bool) -> Codes:
    """Labels in segments; returns the best super-cell, or the best by a predictor of all labels."""
    settings = SegmentSettings(scored=2500)
    choices = [len(decision.choices) for decision in task.space.decisions]
    segments = even_segments(choices, settings)
    search = SegmentSearch(choices, segments, labels=task.labels // len(segments), completions=4)
    seen: list[tuple[Codes, Floats]] = []
    check = task.space.check

    def fit(codes: AnyCodes, labels: Floats) -> Callable[[AnyCodes], Floats]:
        seen.append((check(codes), labels))
        predictor = fitted(task, np.concatenate([c for c, _ in seen]), np.concatenate([v for _, v in seen]))
        return lambda asked: predictor.predict(asked).mean

    costs = AnalyticCosts(task.space, task.space.network)
    result = search_segments(
        search,
        lambda codes: task.label(check(codes)),
        fit,
        task.seed,
        lambda codes: task.budget.violation(costs.evaluate(codes)["flops"]),
    )
    if not then_climb:
        return check(result.codes[:1])
    predictor = fitted(task, np.concatenate([c for c, _ in seen]), np.concatenate([v for _, v in seen]))
    return climbed(task, predictor, check(result.codes))


def by_evolution(task: Task) -> Codes:
    """Runs regularised evolution that takes a label for every child."""
    settings = SearchSettings(sampler="evolution", batch=50)
    noisy = task.evaluator(_Labels(task.label))
    sampler = EvolutionSampler(noisy, settings, task.seed)
    best: tuple[float, float, Codes] | None = None
    for _ in range(task.labels // 10):
        tried = noisy.evaluate(sampler.propose(10))
        sampler.observe(tried)
        row = int(np.lexsort((-tried.mean, tried.excess))[0])
        found = (float(tried.excess[row]), -float(tried.mean[row]), tried.codes[row : row + 1])
        best = found if best is None or found[:2] < best[:2] else best
    assert best is not None
    return best[2]


def by_chance(task: Task) -> Codes:
    """Returns the best label among architectures that keep the budget, drawn uniformly."""
    rng = np.random.default_rng([task.seed, 3])
    costs = AnalyticCosts(task.space, task.space.network)
    kept = task.space.sample(0, rng)
    while len(kept) < task.labels:
        drawn = task.space.sample(10_000, rng)
        kept = np.concatenate([kept, drawn[task.budget.violation(costs.evaluate(drawn)["flops"]) <= 0]])
    kept = kept[: task.labels]
    best = int(np.argmax(task.label(kept)))
    return kept[best : best + 1]


class _Labels:
    def __init__(self, label: Callable[[Codes], Floats]) -> None:
        self._label = label

    def predict(self, codes: Codes) -> Prediction:
        return Prediction(self._label(codes), np.zeros(len(codes)))


WAYS: dict[str, Callable[[Task], Codes]] = {
    "segments": lambda task: by_segments(task, then_climb=False),
    "segments, then evolution over the predictor": lambda task: by_segments(task, then_climb=True),
    "uniform labels, evolution over the predictor": by_climbing,
    "evolution, a label for each child": by_evolution,
    "chance": by_chance,
}


def measure(space_name: str, labels: int, noise: float, percentile: float, seeds: int) -> list[dict[str, object]]:
    """Returns the regret of every way, one row each.

    Args:
        space_name: A space.
        labels: Labels that each way may spend.
        noise: Standard deviation of a label's error, in standard deviations of quality over the space.
        percentile: The budget, of multiply-accumulates of uniform draws.
        seeds: Landscapes.
    """
    space = load_space(space_name)
    regrets: dict[str, list[float]] = {name: [] for name in WAYS}
    seconds = dict.fromkeys(WAYS, 0.0)
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 0])
        quality = Quality(space, rng)
        drawn = space.sample(20_000, rng)
        flops = AnalyticCosts(space, space.network).evaluate(drawn)["flops"]
        budget = Budget("flops", float(np.percentile(flops, percentile, method="higher")))
        error = noise * float(quality(drawn).std())
        errors = np.random.default_rng([seed, 4])

        def label(
            codes: Codes, quality: Quality = quality, errors: np.random.Generator = errors, error: float = error
        ) -> Floats:
            return quality(codes) + errors.normal(0, error, len(codes))

        task = Task(space, budget, label, labels, seed)
        unit = float(quality(drawn[flops <= budget.limit]).std())
        best = float(quality(climbed(task, quality, drawn[:0]))[0])
        for name, way in WAYS.items():
            began = time.perf_counter()
            regrets[name].append((best - float(quality(way(task))[0])) / unit)
            seconds[name] += time.perf_counter() - began
    return [
        {
            "way": name,
            "mean_regret": round(float(np.mean(values)), 3),
            "worst_regret": round(float(np.max(values)), 3),
            "seconds": round(seconds[name] / seeds, 1),
        }
        for name, values in regrets.items()
    ]


@app.command()
def large_search(
    space: Annotated[str, typer.Option(help="Name or path of a space.")] = "mobilenet",
    labels: Annotated[int, typer.Option(min=50, help="Labels that each way may spend.")] = 300,
    noise: Annotated[float, typer.Option(min=0, help="Error of a label, in standard deviations of quality.")] = 0.5,
    percentile: Annotated[float, typer.Option(min=0.1, max=100, help="The budget on multiply-accumulates.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Landscapes.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare ways to spend labels in a large space."""
    rows = measure(space, labels, noise, percentile, seeds)
    if as_json:
        say(json.dumps({"space": space, "labels": labels, "noise": noise, "percentile": percentile, "rows": rows}))
        return
    say(f"{'way':<46}{'mean regret':>12}{'worst':>8}{'seconds':>9}")
    for row in rows:
        say(f"{row['way']:<46}{row['mean_regret']:>12}{row['worst_regret']:>8}{row['seconds']:>9}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m benchmarks.large_search", arguments)


if __name__ == "__main__":
    sys.exit(main())

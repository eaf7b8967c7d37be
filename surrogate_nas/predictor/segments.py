"""The best architecture of a space that cannot be listed, a segment of decisions at a time (GCN-fit, arXiv 2004.08423).

Symbols:
    D: decisions of the space.
    S: segments, each some of the decisions, which together are all of them.
    P: super-cells, the partial architectures that are kept from one segment to the next.
    F: choices of all decisions of a segment taken together.

For each segment in turn: architectures are drawn whose earlier decisions are one of the super-cells, whose segment is
free, and whose later decisions are drawn too; they are labelled; a predictor is fitted to the labels; every super-cell
with every choice of the segment is scored, and the best P are the super-cells of the next segment. At the end the best
super-cell is a whole architecture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from surrogate_nas.errors import SettingsError, TrainingError
from surrogate_nas.predictor.protocol import Codes, Floats

# Largest number of partial architectures of one segment that are scored.
MOST_SCORED = 1_000_000

# Codes of shape (N, D) to labels of shape (N,), larger is better: what a supernet says.
Label = Callable[[Codes], Floats]
# Codes of shape (M, D) and labels of shape (M,) to a score of codes of shape (N, D), shape (N,).
Fit = Callable[[Codes, Floats], Callable[[Codes], Floats]]


@dataclass(frozen=True)
class SegmentSearch:
    """How a space is searched in segments.

    Attributes:
        choices: Number of choices of each decision, length D.
        segments: Decisions of each segment.
        labels: Architectures that are labelled in each segment.
        kept: Super-cells P that are kept.
        completions: Draws of the later decisions over which the score of a super-cell is averaged.
    """

    choices: Sequence[int]
    segments: Sequence[Sequence[int]]
    labels: int = 300
    kept: int = 6
    completions: int = 8

    def __post_init__(self) -> None:
        if sorted(decision for segment in self.segments for decision in segment) != list(range(len(self.choices))):
            raise SettingsError(
                f"segments need every decision from 0 to {len(self.choices) - 1} once (got {list(self.segments)})"
            )
        for name in ("labels", "kept", "completions"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} of a search in segments must be at least 1 (got {getattr(self, name)})")
        for segment in self.segments:
            size = self.kept * prod(self.choices[decision] for decision in segment)
            if size > MOST_SCORED:
                raise SettingsError(
                    f"a segment of decisions {list(segment)} has {size:,} partial architectures to score, more than"
                    f" {MOST_SCORED:,}; make segments shorter"
                )


@dataclass(frozen=True)
class SegmentResult:
    """What a search in segments found.

    Attributes:
        codes: The last super-cells, whole architectures, best first, shape (P, D).
        scores: Their scores by the last predictor, shape (P,).
        labelled: Architectures that were labelled, shape (S * labels, D).
    """

    codes: Codes
    scores: Floats
    labelled: Codes


def search_segments(search: SegmentSearch, label: Label, fit: Fit, seed: int) -> SegmentResult:
    """Runs the search.

    Args:
        search: Segments and sizes.
        label: Labels architectures.
        fit: Fits a predictor to labels of one segment.
        seed: Decides all random draws but those of ``label`` and ``fit``.

    Raises:
        TrainingError: If a label or a score is not finite.
    """
    rng = np.random.default_rng(seed)
    choices = np.asarray(search.choices, dtype=np.int64)
    supercells: Codes = np.zeros((1, len(choices)), dtype=np.int8)  # nothing is decided yet
    decided: list[int] = []
    labelled, scores = [], np.zeros(1)
    for segment in search.segments:
        drawn = _draw(supercells, decided, choices, search.labels, rng)
        values = _finite(label(drawn), len(drawn), "labels")
        labelled.append(drawn)
        score = fit(drawn, values)
        decided = [*decided, *segment]
        extended = _extended(supercells, segment, choices)
        scores = np.zeros(len(extended))
        complete = len(decided) == len(choices)
        rounds = 1 if complete else search.completions
        # Every candidate with the same completions: they differ by what is decided alone.
        for _ in range(rounds):
            completion = rng.integers(0, choices).astype(np.int8)
            whole = np.tile(completion, (len(extended), 1))
            whole[:, decided] = extended[:, decided]
            scores += _finite(score(whole), len(whole), "scores") / rounds
        best = np.argsort(-scores, kind="stable")[: search.kept]
        supercells, scores = extended[best], scores[best]
    return SegmentResult(supercells, scores, np.concatenate(labelled))


def _draw(
    supercells: Codes, decided: Sequence[int], choices: np.ndarray, count: int, rng: np.random.Generator
) -> Codes:
    """Architectures with one of the super-cells and everything else drawn, shape (count, D)."""
    drawn = rng.integers(0, choices, size=(count, len(choices))).astype(np.int8)
    drawn[:, list(decided)] = supercells[rng.integers(len(supercells), size=count)][:, list(decided)]
    return drawn


def _extended(supercells: Codes, segment: Sequence[int], choices: np.ndarray) -> Codes:
    """Every super-cell with every choice of a segment, shape (P * F, D)."""
    options = np.array(list(product(*(range(choices[decision]) for decision in segment))), dtype=np.int8)
    extended = np.repeat(supercells, len(options), axis=0)
    extended[:, list(segment)] = np.tile(options, (len(supercells), 1))
    return extended


def _finite(values: Floats, count: int, what: str) -> Floats:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise TrainingError(f"a search in segments needs {count} finite {what} (got shape {values.shape})")
    return values

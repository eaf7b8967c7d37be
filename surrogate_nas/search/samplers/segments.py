"""Searches a space too large to enumerate, a segment of decisions at a time (GCN-fit, arXiv 2004.08423).

Symbols:
    D: decisions of the space.
    S: segments, each some of the decisions, which together are all of them.
    P: super-cells, the partial architectures that are kept from one segment to the next.
    F: choices of all decisions of a segment taken together.

For each segment in turn: architectures are drawn whose earlier decisions are one of the super-cells, whose segment is
free, and whose later decisions are drawn too; they are labelled; a predictor is fitted to the labels; every super-cell
with every choice of the segment is scored, and the best P are the super-cells of the next segment. At the end the best
super-cell is a whole architecture.

Under budgets, architectures that exceed them are neither labelled nor completions, as long as there are enough others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.errors import SettingsError, TrainingError
from surrogate_nas.space.space import Codes

Floats = NDArray[np.float64]

# Largest number of partial architectures of one segment that are scored.
MOST_SCORED = 1_000_000
# Draws for each labelled architecture where there are budgets: the draws with the smallest excess are labelled.
_OVERDRAWN = 20

# Maps codes of shape (N, D) to labels of shape (N,), larger is better, such as a supernet's accuracies.
Label = Callable[[Codes], Floats]
# Maps codes of shape (M, D) and labels of shape (M,) to a score of codes of shape (N, D), shape (N,).
Fit = Callable[[Codes, Floats], Callable[[Codes], Floats]]
# Maps codes of shape (N, D) to their total excess over all budgets, shape (N,); 0 where they keep them.
Excess = Callable[[Codes], Floats]


class SegmentSettings(BaseModel):
    """Settings of labels where a space is searched in segments; without effect elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kept: int = Field(6, ge=1, le=1000, description="Super-cells kept from one segment to the next.")
    completions: int = Field(
        8, ge=1, le=1000, description="Random completions over which the score of a super-cell is averaged."
    )
    scored: int = Field(
        20_000,
        ge=100,
        le=MOST_SCORED,
        description="Most super-cells scored in one segment, which limits the length of the segment.",
    )


def even_segments(choices: Sequence[int], settings: SegmentSettings) -> tuple[tuple[int, ...], ...]:
    """Returns neighbouring decisions in as few segments of nearly equal size as the settings allow.

    Raises:
        SettingsError: If one decision alone has too many choices.
    """
    for count in range(1, len(choices) + 1):
        parts = [tuple(part.tolist()) for part in np.array_split(np.arange(len(choices)), count)]
        if all(settings.kept * prod(choices[decision] for decision in part) <= settings.scored for part in parts):
            return tuple(parts)
    raise SettingsError(
        f"segments.scored must be at least segments.kept times the choices of one decision, {max(choices)}"
        f" (got {settings.scored} with {settings.kept} kept)"
    )


@dataclass(frozen=True)
class SegmentSearch:
    """Plan of a search in segments.

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
    """Result of a search in segments.

    Attributes:
        codes: The last super-cells, whole architectures, best first, shape (P, D).
        scores: Their scores by the last predictor, shape (P,).
        labelled: Architectures that were labelled, shape (S * labels, D).
    """

    codes: Codes
    scores: Floats
    labelled: Codes


def search_segments(
    search: SegmentSearch,
    label: Label,
    fit: Fit,
    seed: int,
    excess: Excess | None = None,
    effective: Callable[[Codes], Codes] = np.asarray,
) -> SegmentResult:
    """Runs the search.

    Args:
        search: Segments and sizes.
        label: Labels architectures.
        fit: Fits a predictor to labels of one segment.
        seed: Seed of all random draws except in ``label`` and ``fit``.
        excess: Excess of architectures over budgets; without it there are no budgets.
        effective: Returns one code, shape (N, D), of all that are the same network, which super-cells need once.

    Raises:
        TrainingError: If a label or a score is not finite.
    """
    rng = np.random.default_rng(seed)
    choices = np.asarray(search.choices, dtype=np.int64)
    supercells: Codes = np.zeros((1, len(choices)), dtype=np.int8)  # no decision is made yet
    decided: list[int] = []
    labelled, scores = [], np.zeros(1)
    for segment in search.segments:
        drawn = _draw(supercells, decided, choices, search.labels, rng, excess)
        score = fit(drawn, _finite(label(drawn), len(drawn), "labels"))
        labelled.append(drawn)
        decided = [*decided, *segment]
        extended = _extended(supercells, segment, choices)
        # All candidates get the same completions, so they differ only in their decided part.
        rounds = 1 if len(decided) == len(choices) else search.completions
        completions = drawn[rng.integers(len(drawn), size=rounds)]
        scores, over = _scored(extended, decided, completions, score, excess)
        order = np.lexsort((-scores, over))
        networks = np.tile(completions[0], (len(extended), 1))
        networks[:, decided] = extended[:, decided]
        once = np.unique(effective(networks[order]), axis=0, return_index=True)[1]
        best = order[np.sort(once)[: search.kept]]
        supercells, scores = extended[best], scores[best]
    return SegmentResult(supercells, scores, np.concatenate(labelled))


def _scored(
    extended: Codes,
    decided: Sequence[int],
    completions: Codes,
    score: Callable[[Codes], Floats],
    excess: Excess | None,
) -> tuple[Floats, Floats]:
    """Returns each partial architecture's mean score over completions within the budgets, and its least excess."""
    total, kept = np.zeros(len(extended)), np.zeros(len(extended))
    over = np.full(len(extended), np.inf)
    for completion in completions:
        whole = np.tile(completion, (len(extended), 1))
        whole[:, decided] = extended[:, decided]
        above = np.zeros(len(whole)) if excess is None else excess(whole)
        values = _finite(score(whole), len(whole), "scores")
        total += np.where(above <= 0, values, 0.0)
        kept += above <= 0
        over = np.minimum(over, np.maximum(above, 0.0))
    return np.where(kept > 0, total / np.maximum(kept, 1), -np.inf), over


def _draw(
    supercells: Codes,
    decided: Sequence[int],
    choices: np.ndarray,
    count: int,
    rng: np.random.Generator,
    excess: Excess | None,
) -> Codes:
    """Returns architectures with one of the super-cells and all else drawn, shape (count, D)."""
    tried = count if excess is None else _OVERDRAWN * count
    drawn = rng.integers(0, choices, size=(tried, len(choices))).astype(np.int8)
    drawn[:, list(decided)] = supercells[rng.integers(len(supercells), size=tried)][:, list(decided)]
    if excess is None:
        return drawn
    return drawn[np.sort(np.argsort(np.maximum(excess(drawn), 0.0), kind="stable")[:count])]


def _extended(supercells: Codes, segment: Sequence[int], choices: np.ndarray) -> Codes:
    """Returns every super-cell with every choice of a segment, shape (P * F, D)."""
    options = np.array(list(product(*(range(choices[decision]) for decision in segment))), dtype=np.int8)
    extended = np.repeat(supercells, len(options), axis=0)
    extended[:, list(segment)] = np.tile(options, (len(supercells), 1))
    return extended


def _finite(values: Floats, count: int, what: str) -> Floats:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise TrainingError(f"a search in segments needs {count} finite {what} (got shape {values.shape})")
    return values

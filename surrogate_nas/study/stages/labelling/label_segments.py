"""Spends a study's labels on one segment of the decisions after another (GCN-fit, arXiv 2004.08423).

Labels of later segments are of architectures that begin with the super-cells of those before, so that they say most
where the best architectures are. Labels of all segments so far are learnt from in each of them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from surrogate_nas._support.words import count_of
from surrogate_nas.costs.budget import total_excess
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.ensemble import Ensemble, derived_seed
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.training_set import MINIMUM_CLASSES, make_training_set
from surrogate_nas.search.samplers.segments import SegmentSearch, even_segments, search_segments
from surrogate_nas.study.findings import StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run

_STREAM = 4  # of the random draws of a study's seed
# A first segment has few labels, some of them of isomorphic architectures; the study's own predictor needs more.
_FEWEST_CLASSES = MINIMUM_CLASSES // 2


def segments_of(problem: Problem) -> SegmentSearch:
    """Returns the way in which the space is searched in segments.

    Raises:
        SettingsError: If the space is small enough to enumerate, there are too few labels for so many segments, or
            labels are to be drawn in another way.
    """
    settings, space = problem.settings, problem.space
    if problem.pool.complete:
        raise SettingsError(
            f"search.sampler = 'segments' is for spaces too large to enumerate ({space.name} has {space.size:,}"
            " architectures); use 'predictor', which compares all of them"
        )
    labels = settings.labels
    if labels.draws != "uniform" or labels.in_band > 0:
        raise SettingsError(
            "search.sampler = 'segments' chooses what is labelled: labels.draws must be uniform and labels.in_band 0"
            f" (got {labels.draws} and {labels.in_band:g})"
        )
    choices = [len(decision.choices) for decision in space.decisions]
    segments = even_segments(choices, settings.segments)
    each = settings.labels.count // len(segments)
    if each < MINIMUM_CLASSES:
        raise SettingsError(
            f"labels.count must be at least {MINIMUM_CLASSES * len(segments)} for a search in {len(segments)} segments"
            f" (got {settings.labels.count})"
        )
    return SegmentSearch(
        choices, segments, labels=each, kept=settings.segments.kept, completions=settings.segments.completions
    )


def label_in_segments(
    problem: Problem, run: Run, label_drawn: Callable[[Problem, Run], StudyLabels]
) -> tuple[Problem, StudyLabels]:
    """Returns the labels, and the problem whose pool holds the labelled architectures and the last super-cells too.

    Args:
        problem: What is asked.
        run: The run in progress.
        label_drawn: Labels the drawn architectures of a problem.

    Raises:
        Interrupted: If a stop was requested; labels made so far are kept.
        SettingsError: If labels cannot be learnt from.
        StoreError: If the label file or a checkpoint is damaged.
    """
    search = segments_of(problem)
    known: list[StudyLabels] = []  # of all segments so far, each time anew

    def label(codes: Codes) -> Floats:
        codes = problem.space.check(codes)
        every = problem.space.check(_with(known[-1].codes if known else codes[:0], codes))
        # Scales of sub-supernets and judges are of all labels together; the ones that are there cost nothing.
        known.append(label_drawn(replace(problem, drawn=every), run))
        digits = problem.space.digits
        row_of = {text: row for row, text in enumerate(digits(known[-1].codes))}
        return known[-1].targets(problem.settings.predictor.target)[[row_of[text] for text in digits(codes)]]

    def fit(_codes: Codes, _labels: Floats) -> Callable[[Codes], Floats]:
        return _fitted(problem, known[-1], len(known), run)

    seed = derived_seed(problem.settings.seed, _STREAM)
    result = search_segments(search, label, fit, seed, lambda codes: _excess(problem, codes), problem.space.effective)
    labels = known[-1]
    run.console.note(f"segments: {len(search.segments)}, {count_of(len(labels.codes), 'architecture')} labelled")
    return problem.listing(np.concatenate([labels.codes, result.codes])), labels


def _fitted(problem: Problem, labels: StudyLabels, number: int, run: Run) -> Callable[[Codes], Floats]:
    """Returns scores of a model that was fitted to the labels of some segments."""
    settings = problem.settings.predictor
    # Choosing a kind of model for each segment would cost more than it could gain.
    settings = settings.model_copy(update={"model": "gcn"}) if settings.model == "auto" else settings
    targets = labels.targets(settings.target)
    units = make_training_set(
        problem.space, labels.codes, targets, labels.accuracy_percent, settings.canonical, _FEWEST_CLASSES
    )
    ensemble = Ensemble(problem.space, settings)
    seed = derived_seed(problem.settings.seed, _STREAM, number)
    ensemble.fit(units.codes, units.targets, seed=seed, should_stop=run.should_stop)
    return lambda codes: ensemble.predict(codes).mean


def _with(before: Codes, more: Codes) -> Codes:
    """Returns architectures with more of them, each once, in their order."""
    codes = np.concatenate([before, more])
    _, first = np.unique(codes, axis=0, return_index=True)
    return np.asarray(codes[np.sort(first)])


def _excess(problem: Problem, codes: Codes) -> Floats:
    costs = problem.cautious_costs.evaluate(problem.space.check(codes))
    return np.asarray(total_excess(problem.budgets, costs) + ~problem.space.is_connected(codes), dtype=np.float64)

"""Spends a study's labels on one segment of the decisions after another (GCN-fit, arXiv 2004.08423).

Labels of later segments are of architectures that begin with the super-cells of those before, so that they say most
where the best architectures are. Labels of all segments so far are learnt from in each of them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from surrogate_nas._processes.workers import Workers
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.ensemble import Ensemble, derived_seed
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.training_set import MINIMUM_CLASSES, make_training_set
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.search.samplers.segments import SegmentSearch, even_segments, search_segments
from surrogate_nas.space.space import Space
from surrogate_nas.study.stages.learn import StudyLabels, fitted_labels, label_architectures
from surrogate_nas.study.stages.prepare import Prepared

_STREAM = 4  # of the random draws of a study's seed
# A first segment has few labels, some of them of isomorphic architectures; the study's own predictor needs more.
_FEWEST_CLASSES = MINIMUM_CLASSES // 2


def segments_of(prepared: Prepared) -> SegmentSearch:
    """How the space is searched in segments.

    Raises:
        SettingsError: If the space can be listed, or there are too few labels for so many segments.
    """
    settings, space = prepared.settings, prepared.space
    if prepared.pool.complete:
        raise SettingsError(
            f"search.sampler = 'segments' is for spaces that cannot be listed ({space.name} has {space.size:,}"
            " architectures); use 'predictor', which compares all of them"
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
    prepared: Prepared,
    folder: RunFolder,
    workers: Workers,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> tuple[Prepared, StudyLabels]:
    """The labels, and what was prepared with labelled architectures and the last super-cells listed too.

    Raises:
        Interrupted: If a stop was asked for; labels made so far are kept.
        SettingsError: If labels cannot be learnt from.
        StoreError: If the label file or a checkpoint is damaged.
    """
    search = segments_of(prepared)
    parts: list[StudyLabels] = []

    def label(codes: Codes) -> Floats:
        asked = replace(prepared, drawn=prepared.space.check(codes))
        parts.append(label_architectures(asked, folder, workers, console, should_stop))
        return fitted_labels(parts[-1], prepared.settings.predictor.target)

    def fit(_codes: Codes, _labels: Floats) -> Callable[[Codes], Floats]:
        return _fitted(prepared, _joined(prepared.space, parts), len(parts), should_stop)

    seed = derived_seed(prepared.settings.seed, _STREAM)
    result = search_segments(search, label, fit, seed, lambda codes: _excess(prepared, codes))
    labels = _joined(prepared.space, parts)
    console.note(f"segments: {len(search.segments)}, {len(labels.codes):,} architectures labelled")
    return prepared.listing(np.concatenate([labels.codes, result.codes])), labels


def _fitted(
    prepared: Prepared, labels: StudyLabels, number: int, should_stop: Callable[[], bool]
) -> Callable[[Codes], Floats]:
    settings = prepared.settings.predictor
    # Choosing a kind of model for each segment would cost more than it could gain.
    settings = settings.model_copy(update={"model": "gcn"}) if settings.model == "auto" else settings
    targets = fitted_labels(labels, settings.target)
    units = make_training_set(
        prepared.space, labels.codes, targets, labels.accuracy_percent, settings.canonical, _FEWEST_CLASSES
    )
    ensemble = Ensemble(prepared.space, settings)
    seed = derived_seed(prepared.settings.seed, _STREAM, number)
    ensemble.fit(units.codes, units.targets, seed=seed, should_stop=should_stop)
    return lambda codes: ensemble.predict(codes).mean


def _joined(space: Space, parts: list[StudyLabels]) -> StudyLabels:
    """Labels of all segments, each architecture once."""
    codes = np.concatenate([part.codes for part in parts])
    _, first = np.unique(codes, axis=0, return_index=True)
    rows = np.sort(first)
    return StudyLabels(
        codes[rows],
        np.concatenate([part.accuracy_percent for part in parts])[rows],
        np.concatenate([part.loss for part in parts])[rows],
        len(np.unique(space.effective(codes), axis=0)),
    )


def _excess(prepared: Prepared, codes: Codes) -> Floats:
    costs = prepared.cautious_costs.evaluate(prepared.space.check(codes))
    over = [np.maximum(budget.violation(costs[budget.cost]), 0) for budget in prepared.budgets]
    return np.asarray(np.sum(over, axis=0) + ~prepared.space.is_connected(codes), dtype=np.float64)

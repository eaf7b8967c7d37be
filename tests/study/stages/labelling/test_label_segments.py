"""Labels spent by segments; a whole study that does so is in ``test_large.py``."""

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.search.samplers.segments import SegmentSearch, even_segments
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.findings import StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.stages.labelling import label_segments
from surrogate_nas.study.stages.labelling.label_segments import label_in_segments, segments_of


def test_a_listed_space_is_refused(problem: Problem) -> None:
    with pytest.raises(SettingsError, match="is for spaces too large to enumerate"):
        segments_of(problem)


def test_each_segment_needs_labels_to_learn_from(problem: Problem) -> None:
    part = Pool(problem.space, problem.codes[5000:6000], complete=False, uniform=1000)
    long = problem.settings.model_copy(
        update={"segments": problem.settings.segments.model_copy(update={"scored": 200})}
    )
    one = replace(problem, pool=part)
    assert segments_of(replace(one, settings=problem.settings.model_copy(deep=True))).labels == 20
    with pytest.raises(SettingsError, match=r"labels.count must be at least 60 for a search in 3 segments \(got 40\)"):
        segments_of(replace(one, settings=long))


@pytest.mark.parametrize("labels", [{"draws": "balanced"}, {"in_band": 0.5}])
def test_settings_of_draws_that_segments_do_not_make_are_refused(problem: Problem, labels: dict[str, object]) -> None:
    part = Pool(problem.space, problem.codes[5000:6000], complete=False, uniform=1000)
    settings = problem.settings.model_copy(update={"labels": problem.settings.labels.model_copy(update=labels)})
    with pytest.raises(SettingsError, match=r"segments' chooses what is labelled: labels\.draws must be uniform"):
        segments_of(replace(problem, pool=part, settings=settings))


def test_labels_of_all_segments_are_on_one_scale(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = [len(decision.choices) for decision in problem.space.decisions]
    settings = problem.settings.segments
    search = SegmentSearch(choices, even_segments(choices, settings), labels=6, kept=3, completions=4)
    monkeypatch.setattr(label_segments, "segments_of", lambda _: search)
    monkeypatch.setattr(label_segments, "_fitted", lambda *_: lambda codes: codes.sum(axis=1).astype(np.float64))
    asked: list[int] = []

    def label_drawn(one: Problem, _run: object) -> StudyLabels:
        asked.append(len(one.drawn))
        values = one.drawn.sum(axis=1).astype(np.float64)
        values = (values - values.mean()) / values.std()
        return StudyLabels(one.drawn, 50 + values, 10 - values, len(one.drawn))

    _, labels = label_in_segments(problem, Mock(), label_drawn)
    assert len(asked) == len(search.segments) > 1
    assert asked == sorted(set(asked))  # each time what was there, and more
    again = label_drawn(replace(problem, drawn=labels.codes), None)
    np.testing.assert_array_equal(labels.loss, again.loss)

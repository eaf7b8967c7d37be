"""Labels spent by segments; a whole study that does so is in ``test_large.py``."""

from dataclasses import replace

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.stages.labelling.label_segments import segments_of


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

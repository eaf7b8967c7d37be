"""Listing the best of a space that cannot be listed; a whole study on one is in ``test_large.py``."""

from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.space.pool import Pool
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores
from surrogate_nas.study.stages.widen_pool import check_sampler, list_the_best


def test_a_listed_space_needs_nothing(prepared: Prepared) -> None:
    scores = SpaceScores(prepared.pool, np.zeros(len(prepared.pool)), np.ones(len(prepared.pool)))
    same, kept = list_the_best(prepared, scores, StudyConsole(quiet=True), lambda: False)
    assert same is prepared
    assert kept is scores


def test_trainings_and_a_search_beyond_the_listed_exclude_each_other(prepared: Prepared) -> None:
    settings = prepared.settings.model_copy(
        update={
            "loop": prepared.settings.loop.model_copy(update={"trainings": 3}),
            "search": prepared.settings.search.model_copy(update={"sampler": "evolution"}),
        }
    )
    trained = replace(prepared, settings=settings)
    check_sampler(trained)
    part = Pool(prepared.space, prepared.codes[5000:6000], complete=False, uniform=1000)
    with pytest.raises(SettingsError, match="got 'evolution' with 3 trainings"):
        check_sampler(replace(trained, pool=part))

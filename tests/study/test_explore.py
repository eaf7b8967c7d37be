"""Listing the best of a space that cannot be listed; a whole study on one is in ``test_run.py``."""

import numpy as np

from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.explore import list_the_best
from surrogate_nas.study.prepare import Prepared
from surrogate_nas.study.search import SpaceScores


def test_a_listed_space_needs_nothing(prepared: Prepared) -> None:
    scores = SpaceScores(prepared.pool, np.zeros(len(prepared.pool)), np.ones(len(prepared.pool)))
    same, kept = list_the_best(prepared, scores, StudyConsole(quiet=True), lambda: False)
    assert same is prepared
    assert kept is scores

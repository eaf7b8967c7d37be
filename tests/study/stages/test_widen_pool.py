"""The best of a space too large to enumerate join the pool; ``test_large.py`` has a whole study on one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from surrogate_nas.study.findings import SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.widen_pool import list_the_best


def test_a_listed_space_needs_nothing(problem: Problem, run_of: Callable[..., Run], tmp_path: Path) -> None:
    scores = SpaceScores(problem.pool, np.zeros(len(problem.pool)), np.ones(len(problem.pool)))
    same, kept = list_the_best(problem, scores, run_of(tmp_path))
    assert same is problem
    assert kept is scores

"""The space of a study, and of the run that it resumes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.problem.check_space import checked_space
from surrogate_nas.study.problem.prepare import prepare
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run


def test_another_space_is_refused_before_anything_is_read(
    problem: Problem, run_of: Callable[..., Run], run_copy: Path, tmp_path: Path
) -> None:
    text = (run_copy / "space.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace(', "avg_pool_3x3"]', "]"), encoding="utf-8")
    assert other.read_text(encoding="utf-8") != text
    settings = problem.settings.model_copy(update={"space": str(other)})
    with pytest.raises(RunFolderError, match="was started with another space than"):
        prepare(run_of(run_copy, settings))


def test_a_space_that_sets_other_sizes_is_refused(problem: Problem, run_copy: Path, tmp_path: Path) -> None:
    text = (run_copy / "space.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(re.sub(r"(?m)^channels = \d+", "channels = 24", text), encoding="utf-8")
    own, set_ = (problem.settings.network.model_copy(update={"channels": value}) for value in (None, 4))
    settings = problem.settings.model_copy(update={"space": str(other), "network": own})
    with pytest.raises(
        RunFolderError, match=r"was started with network\.channels = \d+ of its space, and .* has 24 now"
    ):
        checked_space(settings, RunFolder(run_copy), named_by_user=True)
    checked_space(settings.model_copy(update={"network": set_}), RunFolder(run_copy), named_by_user=True)


def test_cells_that_do_not_fit_the_space_are_refused(problem: Problem, tmp_path: Path) -> None:
    network = problem.settings.network.model_copy(update={"cells": 2})
    settings = problem.settings.model_copy(update={"space": "mobilenet", "network": network})
    with pytest.raises(SettingsError, match=r"network\.cells does not fit mobilenet"):
        checked_space(settings, RunFolder(tmp_path), named_by_user=True)


@pytest.mark.parametrize(("part", "key"), [("loop", "first"), ("labels", "draws")])
def test_variations_need_architectures_with_a_name(problem: Problem, tmp_path: Path, part: str, key: str) -> None:
    changed = getattr(problem.settings, part).model_copy(update={key: "varied"})
    network = problem.settings.network.model_copy(update={"cells": 5})
    settings = problem.settings.model_copy(update={"space": "nasbench201", "network": network, part: changed})
    with pytest.raises(
        SettingsError, match=rf"{part}\.{key} = varied needs .* nasbench201 has none; use {part}\.{key} = "
    ):
        checked_space(settings, RunFolder(tmp_path), named_by_user=True)

"""The two networks of a study."""

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.problem.networks import deployed_network, supernet_plan
from surrogate_nas.study.problem.problem import Problem


def changed(settings: StudySettings, section: str, **values: object) -> StudySettings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


def test_sizes_that_are_not_set_are_those_of_the_space_and_the_images(problem: Problem) -> None:
    space, splits = problem.space, problem.splits
    settings = changed(problem.settings, "network", channels=None, cells=None, image_size=None)
    network = deployed_network(settings, space, splits)
    assert (network.channels, network.cells) == (space.network.channels, space.network.cells)
    assert (network.image_size, network.classes) == (splits.native_image_size, 10)
    wide = deployed_network(changed(settings, "network", channels=32, image_size=16), space, splits)
    assert (wide.channels, wide.image_size) == (32, 16)


def test_the_supernet_may_be_another_network(problem: Problem) -> None:
    settings = changed(problem.settings, "supernet", channels=8)
    plan = supernet_plan(settings, problem.space, problem.splits, problem.drawn)
    assert plan.network.channels == 8
    assert deployed_network(settings, problem.space, problem.splits) == problem.deployed


def test_images_that_cannot_be_halved_and_batches_without_images_are_refused(problem: Problem) -> None:
    odd = changed(problem.settings, "network", image_size=10)
    with pytest.raises(SettingsError, match=r"network\.image_size must be a multiple of 4.* such as 12"):
        deployed_network(odd, problem.space, problem.splits)
    large = changed(problem.settings, "supernet", batch_size=1000)
    with pytest.raises(SettingsError, match=r"less than one batch of 1000; .* supernet\.batch_size="):
        supernet_plan(large, problem.space, problem.splits, problem.drawn)

"""Spaces and sizes that a search by gradients cannot do with are refused before anything is learnt."""

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.job import learning_plan, named_as_here
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.settings import SupernetSettings
from tests.gradient.conftest import MakeJob


@pytest.mark.parametrize("name", ["quick_widths", "quick_elastic"])
def test_spaces_whose_choices_do_not_mix_are_refused(job_of: MakeJob, name: str) -> None:
    space = load_space(name)
    with pytest.raises(SettingsError, match=rf"gradient\.method = 'darts' cannot mix the choices of space = '{name}'"):
        job_of("darts", within=(space, space.network))


def test_channels_that_cannot_be_divided_are_refused(job_of: MakeJob) -> None:
    with pytest.raises(SettingsError, match=r"gradient\.partial_channels = 3 does not fit supernet\.channels"):
        job_of("pcdarts", partial_channels=3)


def test_chains_have_no_partial_channels(job_of: MakeJob) -> None:
    space = load_space("quick")
    with pytest.raises(SettingsError, match="needs cells with operations on edges"):
        job_of("pcdarts", within=(space, space.network))


def test_the_controller_is_that_of_the_method(job_of: MakeJob) -> None:
    assert isinstance(job_of("enas").distribution(), Controller)
    assert isinstance(job_of("darts").distribution(), Independent)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"split": "edge", "split_edge": "9<-0"}, r"^gradient\.split_edge must be one of 1<-0"),
        ({"split": "gradient", "split_rounds": 4}, r"^gradient\.split_rounds must be at most 3"),
        ({"split": "nonlinear", "groups": 9}, r"^gradient\.groups must be at most 3"),
        ({"split": "edge", "steps": 1}, r"^gradient\.steps must leave a step .* gradient\.parent_share"),
    ],
)
def test_splits_that_do_not_fit_the_space_are_refused_by_their_names(
    job_of: MakeJob, given: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        job_of("gdas", **given)


def test_cuts_that_leave_too_little_are_refused_by_their_names() -> None:
    with (
        pytest.raises(SettingsError, match=r"^set a smaller gradient\.split_rounds, supernet\.channels"),
        named_as_here(),
    ):
        raise SettingsError("set a smaller supernet.split_rounds, supernet.channels")


def test_weights_to_begin_with_are_refused() -> None:
    space, supernet = load_space("quick"), SupernetSettings(weights="nested", weights_from="timm:resnet18")
    with pytest.raises(SettingsError, match=r"^gradient\.method = 'darts' begins .* supernet\.weights_from = 'timm:"):
        learning_plan(
            space, NetworkSpec(channels=4, cells=1, image_size=8), GradientSettings(method="darts"), supernet, 0
        )


def test_numbers_of_layers_do_not_mix(job_of: MakeJob) -> None:
    """A choice of one layer decides there which block runs at another."""
    space = load_space("quick_elastic").chain  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="the number of layers of a stage is chosen, and a mixture of layers"):
        job_of("darts", within=(space, space.network))

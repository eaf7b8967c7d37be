"""Spaces and sizes that a search by gradients cannot do with are refused before anything is learnt."""

from dataclasses import replace

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.space.load import load_space
from tests.gradient.conftest import MakeJob


@pytest.mark.parametrize("name", ["darts", "quick_widths", "quick_elastic"])
def test_spaces_whose_choices_do_not_mix_are_refused(job_of: MakeJob, name: str) -> None:
    space = load_space(name)
    job = replace(job_of("darts"), space=space, network=space.network)
    with pytest.raises(SettingsError, match=rf"gradient\.method = 'darts' cannot mix the choices of space = '{name}'"):
        job.build()


def test_channels_that_cannot_be_divided_are_refused(job_of: MakeJob) -> None:
    with pytest.raises(SettingsError, match=r"gradient\.partial_channels = 3 does not fit supernet\.channels"):
        job_of("pcdarts", partial_channels=3).build()


def test_chains_have_no_partial_channels(job_of: MakeJob) -> None:
    space = load_space("quick")
    with pytest.raises(SettingsError, match="needs cells with operations on edges"):
        replace(job_of("pcdarts"), space=space, network=space.network).build()


def test_the_controller_is_that_of_the_method(job_of: MakeJob) -> None:
    assert isinstance(job_of("enas").distribution(), Controller)
    assert isinstance(job_of("darts").distribution(), Independent)

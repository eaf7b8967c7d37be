"""A final training may begin with the weights of the run's supernet, where they fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from surrogate_nas.data.cache import load_splits
from surrogate_nas.deploy.train.chosen import Choice, choose
from surrogate_nas.deploy.train.inheritance import inherit_from_run, start_of, start_words
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.nets.standalone import build_network


@pytest.fixture
def choice(digits_copy: Path) -> Choice:
    return choose(digits_copy)


def test_the_checkpoint_s_weights_arrive(choice: Choice) -> None:
    network = build_network(choice.space, choice.code, choice.network)
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    inherit_from_run(network, choice, load_splits(choice.run.images))
    changed = [name for name, tensor in network.named_parameters() if not torch.equal(tensor, before[name])]
    whole = [name for name, one in network.named_modules() if isinstance(one, (nn.Conv2d, nn.Linear))]
    assert {name.rpartition(".")[0] for name in changed} == set(whole)


def test_other_widths_are_refused_with_what_would_fit(choice: Choice) -> None:
    wide = replace(choice, network=replace(choice.network, channels=16))
    network = build_network(wide.space, wide.code, wide.network)
    with pytest.raises(SettingsError, match=r"a study with supernet\.channels=16 and supernet\.cells=1"):
        inherit_from_run(network, wide, load_splits(choice.run.images))


def test_light_reductions_are_refused(choice: Choice) -> None:
    supernet = choice.settings.supernet.model_copy(update={"reductions": "light"})
    other = replace(choice, settings=choice.settings.model_copy(update={"supernet": supernet}))
    network = build_network(other.space, other.code, other.network)
    with pytest.raises(SettingsError, match=r"light reductions.* supernet\.reductions=residual"):
        inherit_from_run(network, other, load_splits(choice.run.images))


def test_a_missing_checkpoint_is_said(choice: Choice) -> None:
    for path in choice.run.supernets.iterdir():
        path.unlink()
    network = build_network(choice.space, choice.code, choice.network)
    with pytest.raises(StoreError, match="checkpoint"):
        inherit_from_run(network, choice, load_splits(choice.run.images))


def test_a_run_without_pretrained_weights_starts_from_scratch_or_its_supernet(choice: Choice) -> None:
    assert start_of(TrainRequest(choice.run.path), choice) == "scratch"
    assert start_words(choice, "supernet") == "from the weights of the supernet"
    with pytest.raises(SettingsError, match="--from pretrained: the study began with new weights"):
        start_of(TrainRequest(choice.run.path, start="pretrained"), choice)

"""The first weights of a final training: random, those that a run's supernet has, or a part of pretrained ones."""

from pathlib import Path

import torch

from surrogate_nas._support.words import count_of
from surrogate_nas.data.images import DataSplits
from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.standalone import Network, build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.checkpoint import load_checkpoint, restore_weights
from surrogate_nas.supernet.extract import extract_weights
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.stage import known_plan
from surrogate_nas.supernet.training import FIRST_WEIGHTS


def start_of(request: TrainRequest, choice: Choice) -> Start:
    """Returns the start that a request asks for, or else the one that suits the run.

    Raises:
        SettingsError: If it asks for pretrained weights, and the run has none.
    """
    has_weights = choice.settings.supernet.weights_from is not None
    if request.start == "pretrained" and not has_weights:
        raise SettingsError(
            "--from pretrained: the study began with new weights; train --from scratch or supernet, or make a study"
            " with --weights"
        )
    return request.start or ("supernet" if has_weights else "scratch")


def is_tuned(choice: Choice, start: Start) -> bool:
    """Returns whether a training that starts so goes on from pretrained weights."""
    return start != "scratch" and choice.settings.supernet.weights_from is not None


def start_words(choice: Choice, start: Start) -> str:
    """Returns how a training started, in words."""
    source = choice.settings.supernet.weights_from or ""
    pretrained = f"pretrained weights ({Path(source).name})"
    if start == "scratch":
        return "from scratch"
    if start == "pretrained":
        return f"from {pretrained}"
    return f"from the weights of the supernet{f', which began with {pretrained}' if source else ''}"


def first_network(choice: Choice, code: Codes, seed: int, start: Start) -> Network:
    """Returns the network of an effective code, shape (D,), before it has the weights of a supernet.

    It has its part of pretrained weights where the training goes on from these, otherwise random weights.

    Raises:
        SettingsError, StoreError: If the pretrained weights do not fit, or their file is damaged.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if is_tuned(choice, start):
            first = FirstWeights.load(choice.run.supernets / FIRST_WEIGHTS, choice.space)
            return first.part(choice.space, code, choice.network)
        return build_network(choice.space, code, choice.network)


def inherit_from_run(network: Network, choice: Choice, splits: DataSplits) -> None:
    """Puts the weights of the supernet that answers for an architecture into a network of its own.

    Args:
        network: To be trained.
        choice: Its architecture and run.
        splits: The images of the run, which the supernet was trained on.

    Raises:
        SettingsError: If the widths or depths differ; the message says what would fit.
        StoreError: If the supernet's checkpoint is damaged or missing.
    """
    settings, deployed = choice.settings, choice.network
    small = settings.supernet
    if (small.channels, small.cells) != (deployed.channels, deployed.cells):
        raise SettingsError(
            f"--from supernet: the supernet has {small.channels} channels and {count_of(small.cells, 'cell')} a stage,"
            f" the deployed network {deployed.channels} and {deployed.cells}, so that its weights do not fit; train"
            f" --from scratch, or make a study with supernet.channels={deployed.channels} and"
            f" supernet.cells={deployed.cells}"
        )
    spec = NetworkSpec(
        small.channels, small.cells, splits.image_size, deployed.input_channels, deployed.classes, deployed.stages
    )
    plan = known_plan(make_plan(choice.space, spec, small, settings.seed), choice.run.supernets, {})
    if _kinds(choice.space, plan.network) != _kinds(choice.space, deployed):
        raise SettingsError(
            "--from supernet: the supernet has light reductions, the deployed network residual ones, so that its"
            " weights do not fit; train --from scratch, or make a study with supernet.reductions=residual"
        )
    member = int(plan.member_of(choice.code[None])[0])
    path = choice.run.supernets / plan.training(member).file
    shared = plan.build(member)
    restore_weights(path, load_checkpoint(path, {}), shared)
    extract_weights(network, shared, choice.code)


def _kinds(space: Space, network: NetworkSpec) -> list[str]:
    return [layer.kind for layer in space.layout(network)]

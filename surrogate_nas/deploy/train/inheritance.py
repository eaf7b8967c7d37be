"""The weights of a run's supernet as the first weights of a final training."""

from surrogate_nas._support.words import count_of
from surrogate_nas.data.images import DataSplits
from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.standalone import Network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.checkpoint import load_checkpoint, restore_weights
from surrogate_nas.supernet.extract import extract_weights
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.stage import known_plan


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

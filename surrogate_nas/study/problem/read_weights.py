"""The pretrained weights of a study: read from where they are, or taken from the run folder, which keeps them."""

from collections.abc import Callable
from pathlib import Path

from surrogate_nas.errors import StoreError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.pretrained.largest import names_of
from surrogate_nas.nets.pretrained.weight_sources import check_source
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.study.running import Run
from surrogate_nas.supernet.training import FIRST_WEIGHTS


def read_weights(run: Run, space: Space, *networks: NetworkSpec) -> FirstWeights | None:
    """Returns the pretrained weights that supernets begin with; None where they begin with new ones.

    Args:
        run: Its settings name the weights.
        space: The search space.
        networks: Sizes of the networks that take parts of the weights.

    Raises:
        SettingsError: If there are no such weights, they are of another network, or do not fit the sizes.
    """
    source, path = run.settings.supernet.weights_from, run.folder.supernets / FIRST_WEIGHTS
    if source is None:
        return None
    first = _kept(path, space, run.console.warn) or FirstWeights.read(space, source)
    for network in networks:
        first.network(space, network)
    return first


def require_source(run: Run, space: Space) -> None:
    """Reports pretrained weights that do not exist before images are read; weights in the run folder are enough.

    Raises:
        SettingsError: If the space has no known network, or there are no such weights by their name.
    """
    source = run.settings.supernet.weights_from
    if source is not None and not (run.folder.supernets / FIRST_WEIGHTS).exists():
        names_of(space)
        check_source(source)


def keep_weights(first: FirstWeights, folder: RunFolder, space: Space) -> None:
    """Writes pretrained weights into the run folder, unless it holds them."""
    path = folder.supernets / FIRST_WEIGHTS
    kept = _kept(path, space, lambda _: None)
    if kept is None or kept.digest != first.digest:
        path.parent.mkdir(exist_ok=True)
        first.save(path)


def _kept(path: Path, space: Space, warn: Callable[[str], None]) -> FirstWeights | None:
    if not path.exists():
        return None
    try:
        return FirstWeights.load(path, space)
    except StoreError as error:
        warn(f"{error}; they are read again")
        return None

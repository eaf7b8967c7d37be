"""Reads and writes checkpoints of one network: weights, statistics, momenta and progress in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from surrogate_nas._support.files import parse_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.tensor_files import holds_later_step, part, read_tensors, read_texts, write_tensors
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, UnreadableError, WriteError

_SCHEMA = 1
_REMEDY = "remove it to train again"
_STATE, _MOMENTUM, _MEAN = "state.", "momentum.", "mean."


def save_training(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.SGD,
    step: int,
    identity: Mapping[str, str],
    mean: nn.Module | None = None,
) -> None:
    """Writes a checkpoint in place of an older one; one of a later step of the same training stays.

    Args:
        path: A ``.safetensors`` file.
        network: Its parameters and statistics are kept.
        optimizer: Its momenta are kept.
        step: Steps done.
        identity: Identity of the training; ``load_training`` requires the same.
        mean: Keeps a running mean of the network's weights; its state is kept as well.

    Raises:
        TrainingError: If it cannot be written, such as on a full disk; an older checkpoint stays as it is.
    """
    tensors = {_STATE + name: tensor for name, tensor in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            tensors[_MOMENTUM + name] = momentum
    if mean is not None:
        tensors |= {_MEAN + name: tensor for name, tensor in mean.state_dict().items()}
    metadata = {"schema": str(_SCHEMA), "step": str(step), "identity": json.dumps(dict(identity))}
    if holds_later_step(path, metadata):
        return
    try:
        write_tensors(path, tensors, metadata)
    except WriteError as error:
        raise TrainingError(f"the checkpoint {error}; make room and continue") from error


def load_training(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.SGD,
    identity: Mapping[str, str],
    mean: nn.Module | None = None,
) -> int:
    """Loads a checkpoint into a network, its optimizer and its mean, and returns the number of steps done.

    Raises:
        StoreError: If the file cannot be read, or is damaged, foreign, or of another version of the project.
        RunFolderError: If it belongs to something else; the first differing field is named.
    """
    try:
        tensors, metadata = read_tensors(path)
        schema = metadata["schema"]
    except UnreadableError:
        raise
    except (StoreError, KeyError) as error:
        raise _damaged(path, error) from None
    require_version(f"the checkpoint {path}", schema, _SCHEMA, _REMEDY)
    try:
        made_with, step = dict(parse_json(metadata["identity"])), int(metadata["step"])
        if step < 0:
            raise ValueError(f"step {step}")
        _require(made_with, identity, path)
        network.load_state_dict(part(tensors, _STATE))
        if mean is not None:
            mean.load_state_dict(part(tensors, _MEAN))
        for name, parameter in network.named_parameters():
            if _MOMENTUM + name in tensors:
                optimizer.state[parameter]["momentum_buffer"] = tensors[_MOMENTUM + name].to(parameter.device)
    except RunFolderError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from None
    return step


def stored_identity(path: Path) -> dict[str, str]:
    """Returns the identity of the training that a checkpoint was made by.

    Raises:
        StoreError: If the file cannot be read, or is damaged or foreign.
    """
    try:
        return dict(parse_json(read_texts(path)["identity"]))
    except UnreadableError:
        raise
    except (StoreError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> StoreError:
    reason = one_line(error, 100)
    return StoreError(f"the checkpoint {path} is damaged or not one of this training ({reason}); {_REMEDY}")


def _require(made_with: Mapping[str, str], identity: Mapping[str, str], path: Path) -> None:
    for name, value in identity.items():
        if made_with.get(name) != value:
            if name == "images":
                raise RunFolderError(
                    f"the checkpoint {path} was made with other images; restore them, or remove the file to train again"
                )
            raise RunFolderError(
                f"the checkpoint {path} was made with {name} = {made_with.get(name)}, not {value}; continue with that"
                " value, or remove the file to train again"
            )

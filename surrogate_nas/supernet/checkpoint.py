"""Checkpoints of a sub-supernet: weights, momenta and progress in one safetensors file, replaced in one piece."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, WriteError
from surrogate_nas.files import atomic_write

_SCHEMA = "1"
_WEIGHT, _MOMENTUM, _LOSS_SUM = "weight.", "momentum.", "loss_sum"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a number of steps.

    Attributes:
        step: Optimizer steps done.
        weights: The network's parameters by name.
        momenta: Momentum buffers by parameter name; parameters that were never sampled have none.
        loss_sum: Sum of training losses in equal parts of the training, shape (parts,).
    """

    step: int
    weights: Mapping[str, Tensor]
    momenta: Mapping[str, Tensor]
    loss_sum: Tensor


def save_checkpoint(path: Path, checkpoint: Checkpoint, identity: Mapping[str, str]) -> None:
    """Writes a checkpoint in place of an older one.

    Args:
        path: A ``.safetensors`` file.
        checkpoint: What to keep.
        identity: What the training belongs to; ``load_checkpoint`` asks for the same.

    Raises:
        TrainingError: If it cannot be written, such as on a full disk; an older checkpoint stays as it is.
    """
    tensors = {_LOSS_SUM: checkpoint.loss_sum}
    tensors |= {_WEIGHT + name: tensor for name, tensor in checkpoint.weights.items()}
    tensors |= {_MOMENTUM + name: tensor for name, tensor in checkpoint.momenta.items()}
    metadata = {"schema": _SCHEMA, "step": str(checkpoint.step), "identity": json.dumps(dict(identity))}
    try:
        with atomic_write(path) as temporary:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary, metadata
            )
    except (WriteError, SafetensorError) as error:
        what = str(error) if isinstance(error, WriteError) else f"{path} cannot be written: {error}"
        raise TrainingError(
            f"the checkpoint {what}; the one before it is kept: make room and run again with --resume"
        ) from None


def load_checkpoint(path: Path, identity: Mapping[str, str]) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        StoreError: If the file is damaged, foreign, or of another version of the project.
        RunFolderError: If it belongs to something else; the first differing field is named.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        schema, step = metadata["schema"], int(metadata["step"])
        made_with = dict(json.loads(metadata["identity"]))
        loss_sum = tensors[_LOSS_SUM]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"the checkpoint {path} is damaged or not one of this project ({error}); remove it to train this supernet"
            " again"
        ) from None
    if schema != _SCHEMA:
        raise StoreError(
            f"the checkpoint {path} was written by another version of this project: it has schema {schema}, this one"
            f" reads {_SCHEMA}"
        )
    for field, value in identity.items():
        if made_with.get(field) != value:
            raise RunFolderError(
                f"the checkpoint {path} was made with {field} = {made_with.get(field)}, not {value};"
                " use another --output-dir, or --overwrite"
            )
    return Checkpoint(step, _part(tensors, _WEIGHT), _part(tensors, _MOMENTUM), loss_sum)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def momenta_of(network: nn.Module, optimizer: torch.optim.SGD) -> dict[str, Tensor]:
    """The momentum buffers of an optimizer by parameter name."""
    buffers = {
        name: optimizer.state[parameter].get("momentum_buffer") for name, parameter in network.named_parameters()
    }
    return {name: buffer for name, buffer in buffers.items() if buffer is not None}


def restore_weights(path: Path, checkpoint: Checkpoint, network: nn.Module) -> None:
    """Puts the weights of the checkpoint at a path into a network.

    Raises:
        RunFolderError: If they are not the weights of such a network; the first differing one is named.
    """
    wanted = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    held = {name: tuple(weight.shape) for name, weight in checkpoint.weights.items()}
    momenta = {name: tuple(momentum.shape) for name, momentum in checkpoint.momenta.items()}
    different = {name for name, _ in (wanted.items() ^ held.items()) | (momenta.items() - wanted.items())}
    if different:
        name = min(different)
        raise RunFolderError(
            f"the checkpoint {path} is of another network: its {name} has shape {held.get(name)}, in this supernet it"
            f" has {wanted.get(name)}; use another --output-dir, or --overwrite"
        )
    network.load_state_dict(dict(checkpoint.weights))


def restore(path: Path, checkpoint: Checkpoint, network: nn.Module, optimizer: torch.optim.SGD) -> None:
    """Puts weights and momenta of the checkpoint at a path back.

    Raises:
        RunFolderError: If they are not those of such a network.
    """
    restore_weights(path, checkpoint, network)
    for name, parameter in network.named_parameters():
        if name in checkpoint.momenta:
            like = torch.empty_like(parameter)  # keeps the memory format, and with it the order of additions
            optimizer.state[parameter]["momentum_buffer"] = like.copy_(checkpoint.momenta[name])

"""Reads and writes checkpoints: weights, momenta, mean weights and progress in one safetensors file, replaced whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from surrogate_nas._support.files import parse_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.tensor_files import holds_later_step, part, read_tensors, write_tensors
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, UnreadableError, WriteError

_SCHEMA = 2
_REMEDY = "remove it to train this supernet again"
_MOST_GROUPS = 1000
_WEIGHT, _MOMENTUM, _MEAN, _LEARNT, _LOSS_SUM = "weight.", "momentum.", "mean.", "learnt.", "loss_sum"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a number of steps.

    Attributes:
        step: Optimizer steps done.
        weights: The network's parameters by name.
        momenta: Momentum buffers by parameter name, of each group; parameters that it never sampled have none.
        loss_sum: Sum of training losses in equal parts of the training, shape (parts,).
        mean: Mean weights by name, of the last part of the training; empty where there is none.
        samples: Number of weights that the mean is taken over.
        learnt: Tensors of a distribution over architectures that is learnt with the weights; empty where there is none.
    """

    step: int
    weights: Mapping[str, Tensor]
    momenta: Sequence[Mapping[str, Tensor]]
    loss_sum: Tensor
    mean: Mapping[str, Tensor] = field(default_factory=dict)
    samples: int = 0
    learnt: Mapping[str, Tensor] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint, identity: Mapping[str, str]) -> None:
    """Writes a checkpoint in place of an older one; one of a later step of the same training stays.

    Args:
        path: A ``.safetensors`` file.
        checkpoint: What to keep.
        identity: What the training belongs to; ``load_checkpoint`` requires the same.

    Raises:
        TrainingError: If it cannot be written, such as on a full disk; an older checkpoint stays as it is.
    """
    tensors = {_LOSS_SUM: checkpoint.loss_sum}
    tensors |= {_WEIGHT + name: tensor for name, tensor in checkpoint.weights.items()}
    tensors |= {_MEAN + name: tensor for name, tensor in checkpoint.mean.items()}
    tensors |= {_LEARNT + name: tensor for name, tensor in checkpoint.learnt.items()}
    for group, momenta in enumerate(checkpoint.momenta):
        tensors |= {f"{_MOMENTUM}{group}.{name}": tensor for name, tensor in momenta.items()}
    numbers = {"step": checkpoint.step, "groups": len(checkpoint.momenta), "samples": checkpoint.samples}
    metadata = {name: str(number) for name, number in numbers.items()}
    metadata |= {"schema": str(_SCHEMA), "identity": json.dumps(dict(identity))}
    if holds_later_step(path, metadata):
        return
    try:
        write_tensors(path, tensors, metadata)
    except WriteError as error:
        raise TrainingError(
            f"the checkpoint {error}; the one before it is kept: make room and run again with --resume"
        ) from None


def load_checkpoint(path: Path, identity: Mapping[str, str]) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        StoreError: If the file cannot be read, or is damaged, foreign, or of another version of the project.
        RunFolderError: If it belongs to something else; the first differing field is named.
    """
    try:
        tensors, metadata = read_tensors(path)
        schema, made_with = metadata["schema"], dict(parse_json(metadata["identity"]))
    except UnreadableError:
        raise
    except (StoreError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None
    require_version(f"the checkpoint {path}", schema, _SCHEMA, _REMEDY)
    try:
        step, groups, samples = (int(metadata[name]) for name in ("step", "groups", "samples"))
        if min(step, groups, samples) < 0 or groups > _MOST_GROUPS:
            raise ValueError(f"step {step}, {groups} groups, {samples} samples")
        loss_sum = tensors[_LOSS_SUM]
        if loss_sum.ndim != 1 or not len(loss_sum) or loss_sum.dtype not in (torch.float32, torch.float64):
            kind = f"{str(loss_sum.dtype).removeprefix('torch.')} of shape {tuple(loss_sum.shape)}"
            raise ValueError(f"{_LOSS_SUM} is {kind}, not a row of floats")
    except (KeyError, ValueError) as error:
        raise _damaged(path, error) from None
    for name, value in identity.items():
        if made_with.get(name) != value:
            raise RunFolderError(
                f"the checkpoint {path} was made with {name} = {made_with.get(name)}, not {value};"
                " use another --output-dir, or --overwrite"
            )
    momenta = [part(tensors, f"{_MOMENTUM}{group}.") for group in range(groups)]
    means, learnt = part(tensors, _MEAN), part(tensors, _LEARNT)
    return Checkpoint(step, part(tensors, _WEIGHT), momenta, loss_sum, means, samples, learnt)


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"the checkpoint {path} is damaged or not one of this project ({one_line(error, 100)}); {_REMEDY}"
    )


def restore_weights(path: Path, checkpoint: Checkpoint, network: nn.Module) -> None:
    """Loads the weights to evaluate with from the checkpoint at a path: their mean where there is one.

    Raises:
        RunFolderError: If they do not fit the network; the first differing one is named.
    """
    _check_shapes(path, checkpoint, network)
    network.load_state_dict(dict(checkpoint.mean if checkpoint.samples else checkpoint.weights))


def restore(path: Path, checkpoint: Checkpoint, network: nn.Module) -> None:
    """Loads the last weights of the checkpoint at a path into a network whose training continues.

    Raises:
        RunFolderError: If they do not fit the network, or momenta or mean belong to other weights.
    """
    _check_shapes(path, checkpoint, network)
    network.load_state_dict(dict(checkpoint.weights))


def _check_shapes(path: Path, checkpoint: Checkpoint, network: nn.Module) -> None:
    wanted = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    held = {name: tuple(weight.shape) for name, weight in checkpoint.weights.items()}
    different = {name for name, _ in wanted.items() ^ held.items()}
    for others in (*checkpoint.momenta, checkpoint.mean):
        shapes = {name: tuple(tensor.shape) for name, tensor in others.items()}
        different |= {name for name, _ in shapes.items() - wanted.items()}
    if checkpoint.samples:
        different |= wanted.keys() - checkpoint.mean.keys()
    if different:
        name = min(different)
        raise RunFolderError(
            f"the checkpoint {path} is of another network: its {name} has shape {held.get(name)}, in this supernet it"
            f" has {wanted.get(name)}; use another --output-dir, or --overwrite"
        )

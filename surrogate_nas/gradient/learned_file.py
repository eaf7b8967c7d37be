"""Reads and writes the state of a search by gradients: one safetensors file, replaced whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from surrogate_nas._support.files import parse_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.tensor_files import part, read_tensors, write_tensors
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, StoreError, TrainingError, WriteError

_SCHEMA = 1
_REMEDY = "remove it to learn this distribution again"
_PARTS = {
    "weights": "weight.",
    "momenta": "momentum.",
    "distribution": "distribution.",
    "means": "mean.",
    "squares": "square.",
}


@dataclass(frozen=True)
class LearnedState:
    """The state of a search by gradients after a number of steps.

    Attributes:
        step: Steps of the weights done.
        moves: Steps of the distribution done.
        baseline: Moving average of rewards; ``None`` where there was none.
        weights: The shared weights by name.
        momenta: Momentum buffers by name of their weight.
        distribution: Parameters of the distribution by name.
        means: Adam's mean gradients by name of their parameter.
        squares: Adam's mean squared gradients by name of their parameter.
    """

    step: int
    moves: int
    baseline: float | None
    weights: Mapping[str, Tensor]
    momenta: Mapping[str, Tensor]
    distribution: Mapping[str, Tensor]
    means: Mapping[str, Tensor]
    squares: Mapping[str, Tensor]


def save_learned(path: Path, state: LearnedState, identity: Mapping[str, str]) -> None:
    """Writes a state in place of an older one.

    Raises:
        TrainingError: If it cannot be written, such as on a full disk; an older state stays as it is.
    """
    tensors = {prefix + name: each for kind, prefix in _PARTS.items() for name, each in getattr(state, kind).items()}
    texts = {"step": str(state.step), "moves": str(state.moves), "baseline": json.dumps(state.baseline)}
    try:
        write_tensors(path, tensors, texts | {"schema": str(_SCHEMA), "identity": json.dumps(dict(identity))})
    except WriteError as error:
        raise TrainingError(
            f"the distribution {error}; the one before it is kept: make room and run again with --resume"
        ) from None


def load_learned(path: Path, identity: Mapping[str, str]) -> LearnedState:
    """Reads a state.

    Raises:
        StoreError: If the file is damaged, foreign, or of another version of the project.
        RunFolderError: If it belongs to something else; the first differing field is named.
    """
    try:
        tensors, texts = read_tensors(path)
        schema, made_with = texts["schema"], dict(parse_json(texts["identity"]))
    except (StoreError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None
    require_version(f"the distribution {path}", schema, _SCHEMA, _REMEDY)
    for name, value in identity.items():
        if made_with.get(name) != value:
            raise RunFolderError(
                f"the distribution {path} was learnt with {name} = {made_with.get(name)}, not {value};"
                " use another --output-dir, or --overwrite"
            )
    try:
        step, moves = int(texts["step"]), int(texts["moves"])
        baseline = None if texts["baseline"] == "null" else float(texts["baseline"])
        if not 0 <= moves <= step:
            raise ValueError(f"step {step}, {moves} moves")
    except (KeyError, ValueError) as error:
        raise _damaged(path, error) from None
    return LearnedState(step, moves, baseline, **{kind: part(tensors, prefix) for kind, prefix in _PARTS.items()})


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"the distribution {path} is damaged or not one of this project ({one_line(error, 100)}); {_REMEDY}"
    )

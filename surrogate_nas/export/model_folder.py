"""Saves and loads a trained network as files that need no part of its search: weights, description and space."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import atomic_write, flush_to_disk, read_json, write_json, write_text
from surrogate_nas._support.model_format import (
    DESCRIPTION,
    EXPORT_AGAIN,
    MODEL_FILES,
    SPACE,
    SPACE_PROGRAM,
    WEIGHTS,
    Described,
    read_description,
    read_whole,
)
from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import (
    ExportError,
    ProgramError,
    RunFolderError,
    SpaceError,
    StoreError,
    UnreadableError,
    WriteError,
)
from surrogate_nas.export.runtimes.table import RUNTIME_FILES
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_stored_space
from surrogate_nas.space.network import NetworkSpec

_REMEDY = (
    "read it, and if you trust it call load_model(folder, trust_program=True); model.onnx and model.pt2 need no program"
)


def save_model(
    folder: Path, network: nn.Module, description: Mapping[str, Any], space_toml: str, program: str | None = None
) -> None:
    """Writes ``model.safetensors``, ``space.toml``, ``space.py`` where there is one, and, last, ``model.json``.

    Args:
        folder: Folder to write to; created if it is missing.
        network: Trained network of the description's code, from ``build_network``.
        description: As ``deploy.train.deliver`` makes it: content of ``model.json``.
        space_toml: Definition of the search space.
        program: The space's Python.

    Raises:
        ExportError: If a file cannot be written.
    """
    try:
        write_tensors(folder / WEIGHTS, network.state_dict(), {"format": "pt"})
        write_text(folder / SPACE, space_toml)
        if program is not None:
            write_text(folder / SPACE_PROGRAM, program)
        write_json(folder / DESCRIPTION, dict(description))
    except WriteError as error:
        raise ExportError(f"the model cannot be written: {error}") from None


def copy_model(folder: Path, target: Path) -> None:
    """Puts a model in the place of another one, of which nothing is left beside it.

    Every file is written before the first one of the old model goes, so that a full disk costs nothing. Then the
    old description goes first and the new one comes last: a model without one was cut short, and nobody opens it.

    Args:
        folder: The model.
        target: Folder that holds another one, or none.

    Raises:
        WriteError: If a file cannot be written; the model in the target is then what it was.
    """
    possible = (*MODEL_FILES, *RUNTIME_FILES)
    names = [name for name in possible if (folder / name).exists()]
    with ExitStack() as stack:
        # The last one in is the first one that takes its place.
        for name in sorted(names, key=lambda name: name != DESCRIPTION):
            temporary = stack.enter_context(atomic_write(target / name))
            shutil.copyfile(folder / name, temporary)
            with temporary.open("rb+") as file:  # some disks only find now that they are full
                flush_to_disk(file.fileno())
        for name in sorted(possible, key=lambda name: name != DESCRIPTION):
            if name == DESCRIPTION or name not in names:
                (target / name).unlink(missing_ok=True)


def read_model(folder: Path) -> Described:
    """Returns the description of the model in a folder.

    Raises:
        RunFolderError: If there is no model.
        StoreError: If it is damaged or of another version.
    """
    path = Path(folder) / DESCRIPTION
    if not path.exists():
        raise RunFolderError(f"{folder} holds no model ({DESCRIPTION}); make one by: {shown('train', 'RUN')}")
    return read_description(read_json(path, "description of the model", EXPORT_AGAIN), path)


def load_model(folder: str | Path, *, trust_program: bool = False) -> nn.Module:
    """Returns the trained network of a folder in evaluation mode: images (B, C, S, S) to scores (B, classes).

    Normalise images by the description's ``preprocessing``.

    Args:
        folder: ``best`` of a run folder, or one of ``models``.
        trust_program: Whether to run ``space.py`` of a model whose space has operations of its own, even if it has
            never run on this machine.

    Raises:
        ProgramError: If there is such a program and it may not be run or fails.
        RunFolderError: If there is no model.
        StoreError: If it is damaged or of another version.

    Example:
        ``folder`` is the run folder of a study whose answer was trained.

        >>> import torch
        >>> from surrogate_nas import load_model
        >>> load_model(folder / "best")(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """
    folder = expanded(folder)
    return read_whole(folder, lambda: _load_model(folder, trust_program))


def _load_model(folder: Path, trust_program: bool) -> nn.Module:
    content = read_model(folder).content
    remedy = None if trust_program else _REMEDY
    try:
        space = load_stored_space(folder, remedy)
        code = space.parse(content["effective_code"])
        network = build_network(space, np.asarray(code).reshape(-1), NetworkSpec.read(content["network"]))
    except ProgramError:
        raise
    except (AttributeError, KeyError, TypeError, SpaceError) as error:
        raise StoreError(f"the description of the model is damaged: {folder / DESCRIPTION}: {error}") from None
    made_from = content.get("space")
    if not isinstance(made_from, Mapping) or made_from.get("fingerprint") != space.fingerprint:
        raise StoreError(f"{folder / SPACE} is not the space that the model in {folder} was made from")
    try:
        network.load_state_dict(read_tensors(folder / WEIGHTS)[0])
    except UnreadableError as error:
        raise StoreError(f"the weights of the model cannot be used: {error}") from None
    except (StoreError, RuntimeError) as error:
        reason = one_line(error, 100)
        raise StoreError(f"the weights of the model are damaged: {folder / WEIGHTS}: {reason}") from None
    return network.eval()

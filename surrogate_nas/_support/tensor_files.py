"""Tensors and texts by name in one safetensors file, replaced in one piece."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from surrogate_nas._support.files import atomic_write
from surrogate_nas._support.stored.checksums import DIFFERS, KEY, checksum_of_arrays
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import StoreError, WriteError


def write_tensors(path: Path, tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> None:
    """Writes a file in place of an older one.

    Args:
        path: The file.
        tensors: By name, of any device.
        texts: Metadata by name.

    Raises:
        WriteError: If it cannot be written, such as on a full disk; an older file stays as it is.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with atomic_write(path) as temporary:
            # Not by save_file, whose own temporary file outlives a kill under a name that nobody knows.
            temporary.write_bytes(save(plain, {**texts, KEY: _checksum(plain, texts)}))
    except SafetensorError as error:
        raise WriteError(f"{path} cannot be written: {error}") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns all tensors and texts of a file.

    Raises:
        StoreError: If it is missing or damaged; the message is the reason alone, since only the caller knows what the
            file is and what can be done.
    """
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise StoreError(one_line(error, 100)) from None
    # Files of version 0.1.0 and of others have none.
    if texts.pop(KEY, None) not in (None, _checksum(tensors, texts)):
        raise StoreError(DIFFERS)
    return tensors, texts


def read_texts(path: Path) -> dict[str, str]:
    """Returns the texts of a file alone; raises what ``read_tensors`` raises."""
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
    except (OSError, SafetensorError, ValueError) as error:
        raise StoreError(one_line(error, 100)) from None
    texts.pop(KEY, None)
    return texts


def holds_later_step(path: Path, texts: Mapping[str, str]) -> bool:
    """Returns whether a file holds a later ``step`` of the same ``identity`` than texts that are to replace it.

    So it is where a training was taken over: its first process may have been cut off only, and still write.
    """
    try:
        stored = read_texts(path)
        return stored["identity"] == texts["identity"] and int(stored["step"]) > int(texts["step"])
    except (StoreError, KeyError, ValueError):
        return False


def _checksum(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> str:
    """Returns the checksum of contiguous tensors of the CPU and of texts; numpy lacks some types of torch."""
    plain = {
        f"{name} {tensor.dtype} {tuple(tensor.shape)}": tensor.reshape(-1).view(torch.uint8).numpy()
        for name, tensor in tensors.items()
    }
    return checksum_of_arrays(plain, texts)


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns the tensors whose names have this prefix, by the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

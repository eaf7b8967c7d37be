"""Tensors and texts by name in one safetensors file, replaced in one piece."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from surrogate_nas._support.files import UNREADABLE, atomic_write, parse_json
from surrogate_nas._support.stored.checksums import DIFFERS, KEY, checksum_of_arrays
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import StoreError, UnreadableError, WriteError


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
            temporary.write_bytes(_with_sorted_texts(save(plain, {**texts, KEY: _checksum(plain, texts)})))
    except SafetensorError as error:
        raise WriteError(f"{path} cannot be written: {error}") from None


def _with_sorted_texts(content: bytes) -> bytes:
    """Returns the bytes of a file with its texts in the order of their names.

    safetensors writes texts in another order each time, so that the same tensors would make different files.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    names: dict[str, Any] = parse_json(content[8:end])
    names["__metadata__"] = dict(sorted(names["__metadata__"].items()))
    header = json.dumps(names, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)  # the data begin at a multiple of 8
    return b"".join((len(header).to_bytes(8, "little"), header, memoryview(content)[end:]))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns all tensors and texts of a file.

    Raises:
        UnreadableError: If it is missing or cannot be read; nothing is wrong with its content.
        StoreError: If it is damaged; the message is the reason alone, since only the caller knows what the file is and
            what can be done.
    """
    tensors, texts = _read(path)
    # Files of version 0.1.0 and of others have none.
    if texts.pop(KEY, None) not in (None, _checksum(tensors, texts)):
        raise StoreError(DIFFERS)
    return tensors, texts


def read_texts(path: Path) -> dict[str, str]:
    """Returns the texts of a file alone; raises what ``read_tensors`` raises."""
    _, texts = _read(path, ())
    texts.pop(KEY, None)
    return texts


def read_tensor(path: Path, name: str) -> Tensor:
    """Returns one tensor of a file, without the checksum of all; raises what ``read_tensors`` raises."""
    tensors, _ = _read(path, (name,))
    if name not in tensors:
        raise StoreError(f"it has no {name}")
    return tensors[name]


def texts_of(content: bytes) -> dict[str, str]:
    """Returns the texts of a file by its bytes.

    Raises:
        ValueError: If they are no safetensors file.
    """
    length = int.from_bytes(content[:8], "little")
    header: Any = parse_json(content[8 : 8 + length])
    texts = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(texts, dict | None):
        raise ValueError("its metadata are no texts by name")
    return {str(name): str(text) for name, text in (texts or {}).items()}


def _read(path: Path, wanted: Collection[str] | None = None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the wanted tensors, or all, and all texts; of a copy where the file system maps no files."""
    try:
        try:
            with safe_open(path, framework="pt") as file:
                names = [name for name in file.keys() if wanted is None or name in wanted]  # noqa: SIM118 - no mapping
                return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
        # Errors of safetensors have no number that would tell a refused mapping from a refused file; reading tells.
        except OSError:
            content = path.read_bytes()
            tensors = load(content)
            return {name: tensors[name] for name in tensors if wanted is None or name in wanted}, texts_of(content)
    except FileNotFoundError:
        raise UnreadableError(f"{path} is missing") from None
    except OSError as error:
        reason = error.strerror or one_line(error, 100)
        raise UnreadableError(f"{path} cannot be read: {reason}; it may be whole: make it readable first") from None
    except (SafetensorError, KeyError, TypeError, *UNREADABLE) as error:
        raise StoreError(one_line(error, 100)) from None


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

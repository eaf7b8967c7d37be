"""Checksums of what is kept, so that a flipped bit is noticed and no other answer comes of it.

CRC-32 finds every change of up to 32 neighbouring bits, and reads 3 GB in a second. HDF5's own filter needs chunks,
whose rewriting a kill may cut in two; Parquet's page checksums do not cover the metadata; safetensors, npy, JSON and
ONNX have none. A file of a former version has no checksum and is taken as it is.
"""

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEY = "checksum"
DIFFERS = "its content does not have the checksum that it was written with"
_LINE = re.compile(rb'(.*),"checksum":"([0-9a-f]{8})"\}\n', re.DOTALL)
_SEAL = -len(f',"{KEY}":"01234567"}}\n')
# Field 14 of an ONNX model, a list of pairs of texts: fields of a list may stand anywhere, so also at the end.
_PAIR = b"\x0a\x16surrogate_nas.checksum\x12\x08"
_ONNX = b"\x72" + bytes([len(_PAIR) + 8]) + _PAIR


def checksum(*parts: bytes | memoryview) -> str:
    """Returns the CRC-32 of some bytes, one part after another, as eight digits."""
    return checksum_of(parts)


def checksum_of(parts: Iterable[bytes | memoryview]) -> str:
    """Returns the CRC-32 of bytes that come part by part, as eight digits."""
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return f"{value:08x}"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a JSON object with the checksum of its fields as its last field."""
    fields = {name: value for name, value in content.items() if name != KEY}
    return {**fields, KEY: checksum(json.dumps(fields, allow_nan=False).encode())}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a JSON object without its checksum, if it has one.

    Raises:
        ValueError: If it is the checksum of something else.
    """
    fields = {name: value for name, value in content.items() if name != KEY}
    if KEY in content and sealed(fields)[KEY] != content[KEY]:
        raise ValueError(DIFFERS)
    return fields


def checksum_of_arrays(arrays: Mapping[str, NDArray[np.generic]], texts: Mapping[str, str]) -> str:
    """Returns the checksum of arrays and texts by name, in whatever order and layout a file holds them."""
    parts: list[bytes | memoryview] = [json.dumps(sorted(texts.items())).encode()]
    for name in sorted(arrays):
        array = arrays[name]
        parts += [json.dumps([name, str(array.dtype), array.shape]).encode(), np.ascontiguousarray(array).data]
    return checksum(*parts)


def sealed_line(line: str) -> str:
    """Returns a JSON object of one line with the checksum of this line as its last field."""
    return f'{line[:-1]},"{KEY}":"{checksum(line.encode())}"}}'


def is_damaged(line: bytes) -> bool:
    """Returns whether a whole line, with its end, had a checksum and is not what it was; others write lines without."""
    found = _LINE.fullmatch(line)
    if found is not None:
        return checksum(found[1], b"}") != found[2].decode()
    body, digits = line[:_SEAL], line[-11:-3]
    if KEY.encode() not in line and checksum(body, b"}").encode() != digits:
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def sealed_onnx(model: bytes) -> bytes:
    """Returns an ONNX model with its checksum among its metadata, at the end of the file."""
    return model + _ONNX + checksum(model).encode()


def check_onnx(model: bytes) -> None:
    """Checks an ONNX model that may have a checksum.

    Raises:
        ValueError: If it is the checksum of something else.
    """
    body, mark, digits = model[: -len(_ONNX) - 8], model[-len(_ONNX) - 8 : -8], model[-8:]
    if mark == _ONNX and checksum(body).encode() != digits:
        raise ValueError(DIFFERS)

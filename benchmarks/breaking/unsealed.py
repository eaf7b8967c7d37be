"""Takes checksums out of good files, so that changes of them reach what lies behind: others write files without."""

import io
import json
from collections.abc import Callable

import pyarrow.parquet as pq
from safetensors.numpy import load, save

from surrogate_nas._support.stored.checksums import KEY, sealed_onnx

_TAIL = len(sealed_onnx(b""))


def unsealed_bytes(ending: str, content: bytes) -> bytes:
    """Returns a good file without its checksum; HDF5 keeps the checksums of its rows.

    Args:
        ending: Ending of its name, with the dot.
        content: The file.
    """
    change = _CHANGES.get(ending)
    return content if change is None else change(content)


def _json(content: bytes) -> bytes:
    fields = json.loads(content)
    fields.pop(KEY, None)
    return json.dumps(fields, indent=1).encode()


def _journal(content: bytes) -> bytes:
    records = [json.loads(line) for line in content.splitlines()]
    for record in records:
        record.pop(KEY, None)
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def _tensors(content: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little")
    texts = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    texts.pop(KEY, None)
    return save(load(content), texts)


def _parquet(content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content))
    texts = {name: _without(text) for name, text in (table.schema.metadata or {}).items()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(texts), sink)
    return sink.getvalue()


def _without(text: bytes) -> bytes:
    """Returns a text of metadata; what is JSON loses its checksum."""
    try:
        fields = json.loads(text)
    except ValueError:
        return text
    if isinstance(fields, dict):
        fields.pop(KEY, None)
        return json.dumps(fields).encode()
    return text


def _onnx(content: bytes) -> bytes:
    return content[:-_TAIL] if sealed_onnx(content[:-_TAIL]) == content else content


_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    ".json": _json,
    ".journal": _journal,
    ".safetensors": _tensors,
    ".parquet": _parquet,
    ".onnx": _onnx,
}

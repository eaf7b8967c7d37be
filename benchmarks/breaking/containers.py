"""Makes binary files anew with contents that no file should hold: tables, labels, tensors, arrays, models, images."""

import io
import json
import os
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from benchmarks.breaking.hostile import Draw, changed, changed_bytes, changed_json, json_text, text

_TYPES = (pa.int8(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.binary())
_HUGE = (0, 1, 3, 1000, 10**6, 10**8, 10**12)


def changed_parquet(draw: Draw, data: bytes) -> bytes:
    """Returns a Parquet table with other columns, types, cells or metadata."""
    table = pq.read_table(io.BytesIO(data))
    metadata = dict(table.schema.metadata or {})
    names, columns = list(table.column_names), [column.combine_chunks() for column in table.columns]
    place, act = draw.randrange(len(names)), draw.random()
    if act < 0.35 and metadata:
        key = draw.choice(list(metadata))
        metadata[key] = changed_json(draw, metadata[key])
    elif act < 0.6:
        columns[place] = _other_column(draw, columns[place])
    elif act < 0.7:
        names[place] = draw.choice((text(draw)[:1000], *names))
    elif act < 0.75:
        del names[place], columns[place]
    elif act < 0.85:
        rows = draw.choice((0, 1, len(table) - 1))
        columns = [column[:rows] for column in columns]
    else:
        # Reading many rows takes the time of many files, so that they are rare.
        rows = draw.choice((*[2] * 12, 500, 3000)) * max(len(table), 1)
        columns = [pa.array([one] * rows, column.type) for column in columns for one in (column[0].as_py(),)]
    changed_table = pa.Table.from_arrays(columns, names=names).replace_schema_metadata(metadata)
    sink = io.BytesIO()
    pq.write_table(changed_table, sink, compression=draw.choice(("snappy", "zstd", "none")))
    return sink.getvalue()


def _other_column(draw: Draw, column: pa.Array) -> pa.Array:
    """Returns a column of another type, or with cells of another value."""
    cells = column.to_pylist()
    if draw.random() < 0.5:
        kind = draw.choice(_TYPES)
        try:
            return column.cast(kind)
        except (pa.ArrowException, ValueError):
            return pa.array([None] * len(cells), draw.choice((kind, pa.null(), pa.list_(pa.int8()))))
    if pa.types.is_string(column.type):
        other: list[object] = ["", None, text(draw)[:2000], cells[0] if cells else ""]
    elif pa.types.is_floating(column.type):
        other = [float("nan"), float("inf"), -1.0, 1e308, 1e-320, None, 0.0]
    else:
        other = [None, 0, 1]
    few = draw.random() < 0.7
    for row in range(len(cells)):
        if not few or draw.random() < 2 / len(cells):
            cells[row] = draw.choice(other)
    return pa.array(cells, column.type)


def changed_labels(draw: Draw, data: bytes) -> bytes:
    """Returns an HDF5 file with another dataset, attribute or link."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.h5")
        path.write_bytes(data)
        with h5py.File(path, "r+", locking=False) as file:
            act, name = draw.random(), draw.choice(list(file))
            if act < 0.4:
                _change_attribute(draw, file)
            elif act < 0.6 and file[name].shape:
                values = file[name][()]
                values[draw.randrange(len(values))] = draw.choice((0, -1, 1, 100))
                file[name][...] = values
            else:
                _replace_dataset(draw, file, name)
        return path.read_bytes()


def _change_attribute(draw: Draw, file: h5py.File) -> None:
    name = draw.choice(list(file.attrs))
    odd = (0, -1, 2**63 - 1, float("inf"), float("nan"), "x", b"\xff", np.zeros(0), np.zeros((2, 2)), text(draw)[:50])
    file.attrs[name] = draw.choice((*odd, np.full(9000, 3), np.array([2**62, 2])))


def _replace_dataset(draw: Draw, file: h5py.File, name: str) -> None:
    old = file[name][()]
    del file[name]
    act = draw.randrange(6)
    if act == 0:
        file[name] = h5py.ExternalLink("../outside/other.h5", "/codes")
    elif act == 1:
        file[name] = h5py.SoftLink(draw.choice(("/nowhere", "/codes", f"/{name}")))
    elif act == 2:
        rows = (draw.choice(_HUGE), *old.shape[1:])
        file.create_dataset(name, rows, dtype=old.dtype, chunks=True if rows[0] else None)
    elif act == 3:
        file.create_dataset(name, data=np.asarray(old).astype(draw.choice(("f4", "i1", "u8", "S3")), casting="unsafe"))
    elif act == 4:
        file.create_dataset(name, data=old if not old.shape else old[: draw.randrange(len(old) + 1)])
    else:
        file.create_group(name)


def changed_tensors(draw: Draw, data: bytes) -> bytes:
    """Returns a safetensors file with another header, or other numbers below the same one."""
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    metadata = header.get("__metadata__", {})
    act = draw.random()
    if act < 0.4 and metadata:
        key = draw.choice(list(metadata))
        metadata[key] = _inner(draw, metadata[key])
    elif act < 0.6:
        header = changed(draw, header)
    elif act < 0.75:
        names = [name for name in header if name != "__metadata__"]
        one, other = draw.choice(names), draw.choice(names)
        header[one], header[other] = header[other], header[one]
    else:
        body = changed_bytes(draw, body) if draw.random() < 0.5 else np.full(len(body), 0xFF, np.uint8).tobytes()
    head = json_text(draw, header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(head)) + head + body


def _inner(draw: Draw, old: str) -> str:
    """Returns another text of metadata, which is JSON itself, or a number."""
    return changed_json(draw, old.encode()).decode("utf-8", "replace") if draw.random() < 0.6 else text(draw)


def changed_array(draw: Draw, data: bytes) -> bytes:
    """Returns a ``.npy`` file with another header, or another array."""
    if draw.random() < 0.3:
        kinds = (np.zeros(0), np.zeros((3, 2)), np.array(["x"]), np.zeros(5, dtype=[("a", "i4")]), np.float64(1))
        sink = io.BytesIO()
        np.save(sink, draw.choice(kinds))
        return sink.getvalue()
    end = 10 + int.from_bytes(data[8:10], "little")
    header = data[10:end].decode("latin-1")
    old = draw.choice(("(", ")", "'", "u1", "i8", "False", ",", "{", "}", ":", "0", "1"))
    odd = ("(" * 300, "", "'O'", "|O", "True", "99999999999", "-1", "\0", "\\", "[", "#", "9" * 5000, "1.5", "x.y")
    header = header.replace(old, draw.choice(odd), draw.choice((1, -1)))[:60_000]
    return data[:8] + struct.pack("<H", len(header)) + header.encode("latin-1") + data[end:]


def changed_model(draw: Draw, data: bytes) -> bytes:
    """Returns an ONNX model with another description, or another graph."""
    model = onnx.load_model_from_string(data)
    act = draw.random()
    if act < 0.75 and model.metadata_props:
        model.metadata_props[0].value = _inner(draw, model.metadata_props[0].value)
    elif act < 0.85:
        getattr(model.graph, draw.choice(("input", "output")))[0].name = text(draw)[:100].replace("\ud800", "")
    elif act < 0.95 and model.graph.node:
        del model.graph.node[draw.randrange(len(model.graph.node))]
    else:
        model.opset_import[0].version = draw.choice((0, 1, 9, 10**6))
    return bytes(model.SerializeToString())


class _Opens:
    """Runs a program of the system where it is unpickled; a name that is not there fails without harm."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.system, ("exit 0",)


_ODD: tuple[object, ...] = (
    _Opens(),
    {"a": 1},
    [torch.ones(2)],
    torch.ones(2),
    {1: torch.ones(2)},
    {"a": _Opens()},
    "x",
    None,
    {},
)


def changed_pickles(draw: Draw, data: bytes) -> bytes:
    """Returns a file of torch that holds other things than tensors, or damaged ones; programs to run among them."""
    act = draw.random()
    sink = io.BytesIO()
    if act < 0.2:
        torch.save(draw.choice(_ODD), sink, _use_new_zipfile_serialization=draw.random() < 0.7)
        return sink.getvalue()
    if act < 0.3:
        return pickle.dumps(draw.choice(_ODD), protocol=draw.randrange(6))
    with zipfile.ZipFile(io.BytesIO(data)) as good, zipfile.ZipFile(sink, "w") as made:
        names = good.namelist()
        target = draw.choice(names)
        for name in names:
            content = good.read(name)
            if name == target:
                if draw.random() < 0.2:
                    continue
                content = changed_bytes(draw, content) if content else draw.randbytes(9)
            made.writestr(name, content)
    return sink.getvalue()


_SIDES = (1, 1, 2, 3, 8, 8, 9, 31, 64, 300, 5000)
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr")
_IMAGE_KINDS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "ICO", "TGA", "DIB", "PCX")


def changed_image(draw: Draw, data: bytes) -> bytes:
    """Returns an image of any kind, size and colours, whole or damaged."""
    del data
    sink = io.BytesIO()
    size, mode = (draw.choice(_SIDES), draw.choice(_SIDES)), draw.choice(_MODES)
    try:
        Image.new(mode, size, draw.randrange(2)).save(sink, draw.choice(_IMAGE_KINDS))
    except (OSError, ValueError, KeyError, TypeError):
        sink = io.BytesIO()
        Image.new("RGB", size).save(sink, "PNG")
    made = sink.getvalue()
    act = draw.random()
    if act < 0.2:
        # The size that a PNG states, in its first block.
        return made[:16] + struct.pack(">II", draw.choice(_HUGE) % 2**32, draw.choice(_HUGE) % 2**32) + made[24:]
    return made if act < 0.4 else changed_bytes(draw, made)


Change = Callable[[Draw, bytes], bytes]


def safely(change: Change) -> Callable[[Draw, bytes], bytes]:
    """Returns the change, or one of bytes where the structure of what is already changed cannot be read."""

    def changed_anyhow(draw: Draw, data: bytes) -> bytes:
        try:
            return change(draw, data)
        except Exception:  # libraries raise all kinds of errors on data that are damaged already, or values they refuse
            return changed_bytes(draw, data)

    return changed_anyhow

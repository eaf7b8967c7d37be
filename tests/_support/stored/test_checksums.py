"""Every flipped bit of what has a checksum is noticed, and what others wrote without one is read."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from surrogate_nas._support.stored.checksums import (
    KEY,
    check_onnx,
    checksum,
    checksum_of_arrays,
    is_damaged,
    sealed,
    sealed_line,
    sealed_onnx,
    unsealed,
)


def flips(content: bytes) -> Iterator[bytes]:
    for place in range(len(content)):
        for bit in range(8):
            yield content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_parts_count_as_one_text() -> None:
    # The check value of CRC-32, as the catalogues of such codes give it.
    assert checksum(b"123456789") == checksum(b"1234", b"56789") == "cbf43926"


def test_an_object_is_what_was_sealed_or_refused() -> None:
    content = {"b": [1.5, None, {"x": "\u00e9"}], "a": True}
    text = json.dumps(sealed(content))
    assert unsealed(json.loads(text)) == unsealed(content) == content
    refused = 0
    for flipped in flips(text.encode()):
        try:
            found = json.loads(flipped)
        except ValueError:
            continue
        if KEY not in found:  # one bit of the key itself: the fields are what they were
            assert {name: found[name] for name in content} == content
            continue
        try:
            assert unsealed(found) == content
        except ValueError:
            refused += 1
    assert refused > 50


def test_an_object_can_be_sealed_again() -> None:
    assert sealed({**sealed({"a": 1}), "a": 2}) == sealed({"a": 2})


@pytest.mark.parametrize(
    ("name", "change"),
    [("text", {"a": "c"}), ("key", {"b": "b"}), ("none", {}), ("more", {"a": "b", "c": ""})],
)
def test_texts_count(name: str, change: dict[str, str]) -> None:
    arrays = {"x": np.zeros(3)}
    assert checksum_of_arrays(arrays, change) != checksum_of_arrays(arrays, {"a": "b"}), name


def test_arrays_count_by_name_type_shape_and_content_but_not_by_order() -> None:
    one, other = np.arange(6.0).reshape(2, 3), np.zeros(0, np.int8)
    before = checksum_of_arrays({"a": one, "b": other}, {})
    assert checksum_of_arrays({"b": other, "a": np.asfortranarray(one)}, {}) == before
    others: list[dict[str, NDArray[Any]]] = [
        {"a": one, "c": other},
        {"a": one.reshape(3, 2), "b": other},
        {"a": one.view(np.int64), "b": other},
        {"a": one + 1e-15, "b": other},
        {"a": one},
    ]
    for arrays in others:
        assert checksum_of_arrays(arrays, {}) != before


def test_a_line_is_what_was_sealed_or_damaged() -> None:
    record = '{"op_code":4,"values":[1.25,"a"]}'
    line = sealed_line(record).encode() + b"\n"
    assert json.loads(line)["values"] == [1.25, "a"]
    assert not is_damaged(line)
    for flipped in flips(line[:-1]):
        if not is_damaged(flipped + b"\n"):
            found = json.loads(flipped)
            assert (found["op_code"], found["values"]) == (4, [1.25, "a"])
    assert is_damaged(line[:-1] + b" " + line)  # the end between two records


@pytest.mark.parametrize(
    "line", [b'{"op_code":4}\n', b'{"op_code":8,"user_attr":{"checksum":"x"}}\n', b"half a record\n"]
)
def test_a_line_of_others_has_no_checksum(line: bytes) -> None:
    assert not is_damaged(line)


def a_model() -> onnx.ModelProto:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    model = helper.make_model(graph)
    helper.set_model_props(model, {"mine": "kept"})
    return model


def test_a_sealed_model_is_an_onnx_model() -> None:
    model = onnx.load_from_string(sealed_onnx(a_model().SerializeToString()))
    onnx.checker.check_model(model)
    found = {one.key: one.value for one in model.metadata_props}
    assert found.keys() == {"mine", "surrogate_nas.checksum"}
    assert model.graph == a_model().graph


def test_a_model_is_what_was_sealed_or_refused() -> None:
    plain = a_model().SerializeToString()
    check_onnx(plain)  # as others write it
    whole = sealed_onnx(plain)
    check_onnx(whole)
    accepted = 0
    for flipped in flips(whole):
        try:
            check_onnx(flipped)
        except ValueError:
            continue
        assert flipped.startswith(plain)  # the mark alone has changed
        accepted += 1
    assert accepted < 8 * (len(whole) - len(plain))

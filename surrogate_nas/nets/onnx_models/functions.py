"""Writes the functions and methods of tensors that networks of other libraries call, such as torchvision's, as ONNX."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor, fx

Names = Mapping[fx.Node, Any]
"""The name of the output of every node written so far; a list of names where a node has several."""


class Writer(Protocol):
    """Collects nodes and weights of a graph."""

    any_batch: bool
    """Whether the model takes any number of images, or only the example's."""

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - as ONNX has them
        """Adds a node of one output and returns its name."""

    def split(self, source: str, count: int, axis: int, name: str) -> list[str]:
        """Adds a node that cuts a tensor into equal parts, and returns their names."""

    def weight(self, value: Tensor, name: str) -> str:
        """Adds a constant and returns its name."""


Write = Callable[[Writer, fx.Node, Names], Any]
"""Writes a node and returns the name of its output, or None where it can only write other uses of the function."""


def _flatten(writer: Writer, node: fx.Node, names: Names) -> str | None:
    return (
        writer.node("Flatten", [_source(node, names)], node.name, axis=1) if _rest(node, "start_dim") == [1] else None
    )


def _pool(writer: Writer, node: fx.Node, names: Names) -> str | None:
    size = _rest(node, "output_size")
    return writer.node("GlobalAveragePool", [_source(node, names)], node.name) if size in ([1], [(1, 1)]) else None


def _mean(writer: Writer, node: fx.Node, names: Names) -> str | None:
    if _rest(node, "dim") != [[2, 3]]:
        return None
    return writer.node("ReduceMean", [_source(node, names)], node.name, axes=[2, 3], keepdims=0)


def _same(_writer: Writer, node: fx.Node, names: Names) -> str:
    return _source(node, names)


def _reshape(writer: Writer, node: fx.Node, names: Names) -> str:
    sizes = list(node.meta["tensor_meta"].shape)
    if writer.any_batch:
        sizes[0] = 0  # which keeps that of the source
    shape = writer.weight(torch.tensor(sizes), f"{node.name}.shape")
    return writer.node("Reshape", [_source(node, names), shape], node.name)


def _transpose(writer: Writer, node: fx.Node, names: Names) -> str | None:
    order, places = list(range(len(node.meta["tensor_meta"].shape))), _rest(node, "dim0", "dim1")
    if places is None:
        return None
    one, other = places
    if writer.any_batch and 0 in (order[one], order[other]):
        return None
    order[one], order[other] = order[other], order[one]
    return writer.node("Transpose", [_source(node, names)], node.name, perm=order)


def _chunk(writer: Writer, node: fx.Node, names: Names) -> list[str] | None:
    # Parts are equal where the tensor has as many parts as were wanted, all of one shape.
    parts = node.meta["tensor_meta"]
    if len({part.shape for part in parts}) != 1 or "dim" not in node.kwargs:
        return None
    axis: Any = node.kwargs["dim"]
    return writer.split(_source(node, names), len(parts), axis, node.name)


def _part(_writer: Writer, node: fx.Node, names: Names) -> str | None:
    parts = names[node.args[0]]
    index: Any = node.args[1]
    return parts[index] if isinstance(parts, list) else None


def _add(writer: Writer, node: fx.Node, names: Names) -> str | None:
    if node.kwargs:
        return None
    return writer.node("Add", [names[one] for one in node.args], node.name)


def _source(node: fx.Node, names: Names) -> str:
    return str(names[node.args[0]])


def _rest(node: fx.Node, *names: str) -> list[Any] | None:
    """Returns the arguments after the first one, by position or by name; None if one has another name."""
    if not set(node.kwargs) <= set(names[len(node.args) - 1 :]):
        return None
    return [*node.args[1:], *(node.kwargs[name] for name in names if name in node.kwargs)]


FUNCTIONS: MappingProxyType[str, Write] = MappingProxyType(
    {
        "flatten": _flatten,
        "adaptive_avg_pool2d": _pool,
        "mean": _mean,
        "stochastic_depth": _same,  # which does nothing outside of trainings
        "contiguous": _same,
        "view": _reshape,
        "transpose": _transpose,
        "chunk": _chunk,
        "getitem": _part,
        "iadd": _add,
    }
)


def write_function(writer: Writer, node: fx.Node, names: Names) -> Any:  # noqa: ANN401 - one name or several
    """Writes a call of a function or method; returns the name of its output, or None where it is an unknown one."""
    write = FUNCTIONS.get(getattr(node.target, "__name__", str(node.target)))
    return None if write is None or node.op not in ("call_function", "call_method") else write(writer, node, names)

"""Writes a network as an ONNX model, module by module.

Networks here consist of few kinds of layers, so tracing them symbolically and naming each layer's ONNX operator takes a
hundredth of the time of torch's general exporter, which would need an hour for a hundred networks. A model that is
delivered has the operators that were measured. Its values are compared before: operations that overwrite what others
read look like the ones that do not.
"""

import contextlib
import io
import operator
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional

from surrogate_nas._support.model_format import INPUT, OUTPUT
from surrogate_nas._support.optional import require_package
from surrogate_nas.errors import SurrogateNasError
from surrogate_nas.nets.onnx_models.functions import write_function
from surrogate_nas.nets.onnx_models.onnx_export import IR_VERSION, export_onnx

OPSET = 17
"""Old enough for the runtimes of devices that are not updated often; torch's exporter writes no older one than 18."""

_TO_THE_END = 2**31 - 1
_NEARLY_0 = 1e-30
"""A pad before a max pool: ONNX Runtime 1.31 leaves out zeros there, as if they were the pool's own padding."""


class _UnknownPartError(Exception):
    """Part of a module that this writer does not know."""


def onnx_of(network: nn.Module, example: Tensor, error: type[SurrogateNasError], *, any_batch: bool = False) -> Any:  # noqa: ANN401 - onnx has no types
    """Returns the ONNX model of a network, or of a piece of one, as an ``onnx.ModelProto``.

    A network with a part that this writer does not know, such as a user's own operation, goes through torch's exporter,
    which takes seconds.

    Args:
        network: In evaluation mode, on the CPU.
        example: Its input, (B, ...); at least two images where the batch is free, as one would be a constant.
        error: Error to raise where a package is not installed.
        any_batch: Whether the model takes any number of images, or only the example's.

    Raises:
        SurrogateNasError: The given error, if a package is not installed.
        Exception: Whatever torch's exporter raises where it cannot export a network.
    """
    onnx = require_package("onnx", "ONNX models", error)
    try:
        return _written_here(onnx, network, example, any_batch=any_batch)
    except (_UnknownPartError, LookupError, TypeError, ValueError):  # arguments that this writer did not expect
        require_package("onnxscript", "ONNX models", error)
    return export_onnx(network, example, any_batch=any_batch)


def _written_here(onnx: ModuleType, module: nn.Module, example: Tensor, *, any_batch: bool) -> Any:  # noqa: ANN401
    # Inside another module, since a layer at the root would be traced into rather than called.
    root = nn.Sequential(module).eval()
    try:
        traced = fx.symbolic_trace(root)
    except Exception as error:  # a user's own module may raise any error when it is given no numbers
        raise _UnknownPartError from error
    try:
        with torch.no_grad(), contextlib.redirect_stderr(io.StringIO()):  # on which torch prints a traceback
            ShapeProp(traced).propagate(example)
    except Exception as error:  # as above
        raise _UnknownPartError from error
    if any(
        _shape_of(node) is not None and node.meta["tensor_meta"].dtype != torch.float32 for node in traced.graph.nodes
    ):
        raise _UnknownPartError
    if any_batch and {shape[:1] for shape in map(_shape_of, traced.graph.nodes) if shape} != {example.shape[:1]}:
        raise _UnknownPartError  # of a tensor without a batch, or with several
    modules = dict(root.named_modules())
    writer = _Writer(onnx, any_batch=any_batch)
    names: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        match node.op:
            case "placeholder":
                names[node] = INPUT
            case "call_function" | "call_method" if "tensor_meta" not in node.meta:
                continue  # a number, such as a size, which is the same for every input of this shape
            case "call_module" if isinstance(modules[str(node.target)], nn.ChannelShuffle):
                groups, channels = modules[str(node.target)].groups, node.meta["tensor_meta"].shape[1]
                names[node] = writer.shuffle(names[node.args[0]], groups, channels, node.name)
            case "call_module" if isinstance(modules[str(node.target)], nn.Upsample):
                _require(_enlarges_by_sizes(modules[str(node.target)], _shape_of(node.args[0])))
                names[node] = writer.resize(names[node.args[0]], list(node.meta["tensor_meta"].shape), node.name)
            case "call_module":
                layer = modules[str(node.target)]
                if isinstance(layer, nn.ZeroPad2d):
                    names[node] = writer.pad(names[node.args[0]], layer.padding, node.name, _zero_before(node, modules))
                    continue
                _require(not isinstance(layer, nn.Linear) or _rank(node.args[0]) == 2)
                names[node] = writer.layer(layer, names[node.args[0]], node.name)
            case "call_function" if node.target in (operator.add, torch.add) and not node.kwargs:
                names[node] = writer.node("Add", [names[one] for one in node.args], node.name)
            case "call_function" if node.target is operator.mul:
                names[node] = writer.node("Mul", [names[one] for one in node.args], node.name)
            case "call_function" if node.target is torch.relu:
                names[node] = writer.node("Relu", [names[node.args[0]]], node.name)
            case "call_function" if node.target is functional.hardsigmoid:
                names[node] = writer.node("HardSigmoid", [names[node.args[0]]], node.name, alpha=1 / 6, beta=0.5)
            case "call_method" if node.target == "mean" and node.kwargs == {"dim": (2, 3), "keepdim": True}:
                names[node] = writer.node("GlobalAveragePool", [names[node.args[0]]], node.name)
            case "call_function" if node.target is torch.cat:
                parts, axis = [names[part] for part in node.args[0]], [*node.args[1:], *node.kwargs.values(), 0]
                names[node] = writer.node("Concat", parts, node.name, axis=int(axis[0]))
            case "call_function" if node.target is functional.pad:
                # Torch adds the arguments that a caller leaves out.
                zeros = node.kwargs in ({}, {"mode": "constant", "value": None})
                _require(len(node.args) == 2 and zeros and _rank(node.args[0]) == 4 and _are_numbers(node.args[1]))
                names[node] = writer.pad(names[node.args[0]], node.args[1], node.name, _zero_before(node, modules))
            case "call_function" if node.target is operator.getitem and _to_the_end(node.args[1]):
                names[node] = writer.slice(names[node.args[0]], node.args[1], node.name)
            case "call_method" if node.target == "new_zeros":
                _require(_shape_of(node) == _shape_of(node.args[0]))
                names[node] = writer.zeros(names[node.args[0]], node.name)
            case "output":
                writer.nodes.append(onnx.helper.make_node("Identity", [names[node.args[0]]], [OUTPUT]))
            case _:
                names[node] = write_function(writer, node, names)
                if names[node] is None:
                    raise _UnknownPartError
    [output] = (node for node in traced.graph.nodes if node.op == "output")
    return writer.model(list(example.shape), list(output.meta["tensor_meta"].shape))


def _zero_before(node: fx.Node, modules: Mapping[str, nn.Module]) -> float | None:
    """Returns the number that a pad adds where a max pool follows; None for the zero that it adds otherwise."""
    pooled = any(isinstance(modules.get(str(one.target)), nn.MaxPool2d) for one in node.users)
    return _NEARLY_0 if pooled else None


def _require(is_known: bool) -> None:
    if not is_known:
        raise _UnknownPartError


def _is_plain(pool: nn.MaxPool2d) -> bool:
    """Returns whether ONNX counts the windows of a pool as torch does, which leaves out those beyond the image."""
    kernel, stride, pad = (np.broadcast_to(one, 2) for one in (pool.kernel_size, pool.stride, pool.padding))
    counts = not pool.ceil_mode or bool(((stride <= kernel) & (pad == 0)).all())
    return counts and not pool.return_indices and pool.dilation in (1, (1, 1))


def _shape_of(node: Any) -> torch.Size | None:  # noqa: ANN401 - a user's own module may call a function with anything
    """Returns the shape of a node's output; None where it is no single tensor."""
    found = node.meta.get("tensor_meta") if isinstance(node, fx.Node) else None
    return getattr(found, "shape", None)


def _enlarges_by_sizes(layer: nn.Upsample, before: torch.Size | None) -> bool:
    """Returns whether a layer resizes as ONNX does, which knows the sizes before and after alone.

    Torch places pixels by a factor that is given, also where the sizes after were rounded.
    """
    if layer.mode != "bilinear" or layer.align_corners:
        return False
    if layer.size is not None or layer.recompute_scale_factor:
        return True
    factors = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * 2
    sides = (before or ())[2:]
    return len(sides) == len(factors) and all(
        factor is not None and (factor * side).is_integer() for factor, side in zip(factors, sides, strict=True)
    )


def _rank(node: Any) -> int | None:  # noqa: ANN401 - as above
    shape = _shape_of(node)
    return None if shape is None else len(shape)


def _to_the_end(index: Any) -> bool:  # noqa: ANN401 - a user's own module may index a tensor with anything
    """Returns whether an index consists only of slices that each run from some start to the end."""
    if not isinstance(index, tuple) or not all(isinstance(one, slice) and one.stop is None for one in index):
        return False
    return _are_numbers([number for one in index for number in (one.start, one.step) if number is not None])


def _are_numbers(values: Any) -> bool:  # noqa: ANN401 - as above
    """Returns whether all values are known, and none follows from the shape of an input."""
    return isinstance(values, tuple | list) and all(isinstance(one, int) for one in values)


class _Writer:
    """Collects nodes and weights of a graph."""

    def __init__(self, onnx: ModuleType, *, any_batch: bool) -> None:
        self._onnx = onnx
        self.any_batch = any_batch
        self.nodes: list[Any] = []
        self._weights: list[Any] = []

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - as ONNX has them
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def split(self, source: str, count: int, axis: int, name: str) -> list[str]:
        """Adds a node that cuts a tensor into equal parts, and returns their names."""
        parts = [f"{name}.{part}" for part in range(count)]
        self.nodes.append(self._onnx.helper.make_node("Split", [source], parts, name=name, axis=axis))
        return parts

    def resize(self, source: str, shape: list[int], name: str) -> str:
        """Adds a bilinear resizing to a shape (B, C, H, W)."""
        if not self.any_batch:
            sizes = self.weight(torch.tensor(shape), f"{name}.sizes")
        else:
            same = self.node("Shape", [source], f"{name}.same", start=0, end=2)
            sides = self.weight(torch.tensor(shape[2:]), f"{name}.sides")
            sizes = self.node("Concat", [same, sides], f"{name}.sizes", axis=0)
        return self.node("Resize", [source, "", "", sizes], name, mode="linear")

    def layer(self, layer: nn.Module, source: str, name: str) -> str:
        """Adds the node of one layer and returns the name of its output."""
        match layer:
            case nn.Conv2d() if layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
                weights = [self.weight(layer.weight, f"{name}.weight")]
                weights += [self.weight(layer.bias, f"{name}.bias")] if layer.bias is not None else []
                pads = [int(one) for one in layer.padding]
                return self.node(
                    "Conv",
                    [source, *weights],
                    name,
                    kernel_shape=list(layer.kernel_size),
                    strides=list(layer.stride),
                    pads=[*pads, *pads],
                    dilations=list(layer.dilation),
                    group=layer.groups,
                )
            case nn.BatchNorm2d() if layer.affine and layer.track_running_stats:
                values = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
                weights = [self.weight(value, f"{name}.{row}") for row, value in enumerate(values)]
                return self.node("BatchNormalization", [source, *weights], name, epsilon=layer.eps)
            case nn.ReLU():
                return self.node("Relu", [source], name)
            case nn.Hardswish():
                return self.node("HardSwish", [source], name)
            case nn.Hardsigmoid():
                return self.node("HardSigmoid", [source], name, alpha=1 / 6, beta=0.5)
            case nn.Sigmoid():
                return self.node("Sigmoid", [source], name)
            case nn.SiLU():
                return self.node("Mul", [source, self.node("Sigmoid", [source], f"{name}.sigmoid")], name)
            case nn.ReLU6():
                bounds = [self.weight(torch.tensor(bound), f"{name}.{bound:.0f}") for bound in (0.0, 6.0)]
                return self.node("Clip", [source, *bounds], name)
            case nn.AvgPool2d() if layer.divisor_override is not None and not layer.ceil_mode:
                # Torch's own exporter forgets the divisor.
                means = self._pool("AveragePool", layer, source, f"{name}.means", count_include_pad=1)
                factor = float(np.prod(np.broadcast_to(layer.kernel_size, 2))) / layer.divisor_override
                return self.node("Mul", [means, self.weight(torch.tensor(factor), f"{name}.factor")], name)
            case nn.AvgPool2d() if not layer.ceil_mode:
                return self._pool("AveragePool", layer, source, name, count_include_pad=int(layer.count_include_pad))
            case nn.MaxPool2d() if _is_plain(layer):
                return self._pool("MaxPool", layer, source, name, ceil_mode=int(layer.ceil_mode))
            case nn.AdaptiveAvgPool2d() if layer.output_size in (1, (1, 1)):
                return self.node("GlobalAveragePool", [source], name)
            case nn.Flatten() if (layer.start_dim, layer.end_dim) == (1, -1):
                return self.node("Flatten", [source], name, axis=1)
            case nn.Unflatten() if layer.dim == 1 and all(isinstance(size, int) for size in layer.unflattened_size):
                sizes = torch.tensor([0, *layer.unflattened_size])  # 0 stands for the batch as it is
                return self.node("Reshape", [source, self.weight(sizes, f"{name}.sizes")], name)
            case nn.Linear() if layer.bias is not None:
                weights = [self.weight(layer.weight, f"{name}.weight"), self.weight(layer.bias, f"{name}.bias")]
                return self.node("Gemm", [source, *weights], name, transB=1)
            case nn.Identity() | nn.Dropout():
                return source
        raise _UnknownPartError

    def zeros(self, source: str, name: str) -> str:
        """Adds zeros of the shape of another node's output."""
        return self.node("Mul", [source, self.weight(torch.zeros(1), f"{name}.zero")], name)

    def shuffle(self, source: str, groups: int, channels: int, name: str) -> str:
        """Adds a channel shuffle (arXiv 1707.01083): channels in a new order."""
        order = torch.arange(channels).view(groups, -1).T.flatten()
        return self.node("Gather", [source, self.weight(order, f"{name}.order")], name, axis=1)

    def pad(self, source: str, widths: tuple[int, ...], name: str, value: float | None = None) -> str:
        """Adds zeros around the last dimensions, given as torch does: before and after, the last dimension first."""
        pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
        before, after = ([0] * (4 - len(pairs)) + [pair[end] for pair in pairs] for end in (0, 1))
        inputs = [source, self.weight(torch.tensor([*before, *after]), f"{name}.pads")]
        if value is not None:
            inputs.append(self.weight(torch.tensor(value), f"{name}.value"))
        return self.node("Pad", inputs, name)

    def slice(self, source: str, slices: tuple[slice, ...], name: str) -> str:
        """Adds a slice of the first dimensions, each from some start to its end in steps."""
        bounds = {
            "starts": [one.start or 0 for one in slices],
            "ends": [_TO_THE_END] * len(slices),
            "axes": list(range(len(slices))),
            "steps": [one.step or 1 for one in slices],
        }
        inputs = [self.weight(torch.tensor(values), f"{name}.{what}") for what, values in bounds.items()]
        return self.node("Slice", [source, *inputs], name)

    def _pool(self, kind: str, layer: nn.AvgPool2d | nn.MaxPool2d, source: str, name: str, **attributes: int) -> str:
        kernel, stride, pad = (
            [value, value] if isinstance(value, int) else list(value)
            for value in (layer.kernel_size, layer.stride, layer.padding)
        )
        return self.node(
            kind,
            [source],
            name,
            kernel_shape=kernel,
            strides=stride,
            pads=[*pad, *pad],
            **attributes,
        )

    def weight(self, value: Tensor | None, name: str) -> str:
        """Adds a constant and returns its name."""
        assert value is not None
        array = value.detach().cpu().contiguous().numpy()
        self._weights.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def model(self, shape: list[int | str], result: list[int | str]) -> Any:  # noqa: ANN401 - onnx has no types
        """Returns the whole model, checked, for inputs and scores of these shapes."""
        helper, floats = self._onnx.helper, self._onnx.TensorProto.FLOAT
        if self.any_batch:
            shape, result = ["batch", *shape[1:]], ["batch", *result[1:]]
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(INPUT, floats, shape)],
            [helper.make_tensor_value_info(OUTPUT, floats, result)],
            initializer=self._weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        self._onnx.checker.check_model(model)
        return model

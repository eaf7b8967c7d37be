"""Operations that users wrote: counted, checked and built."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.nets.own_operations import operation
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.registry import registering
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.operations.table import operation_spec

PLACE = Shape(4, 6, 7, 4)
AT = "from 4x7x7 to 6x4x4"


def convolution(i: int, o: int, stride: int, norm: Callable[[int], nn.Module]) -> nn.Module:
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, padding=1, bias=False), norm(o), nn.GELU())


@pytest.fixture(autouse=True)
def _program(own_cache: object) -> None:
    with registering("mine.py", "digest"):
        operation("conv_gelu", nonlinear_functions=1, reach=1)(convolution)


def registered(build: Callable[..., Any], **said: Any) -> None:  # noqa: ANN401 - right and wrong ones
    with registering("mine.py", "digest"):
        operation("tried", **{"nonlinear_functions": 1, "reach": 1} | said)(build)


def test_it_is_a_block_and_an_operation() -> None:
    spec, of_cell = find_block("conv_gelu"), operation_spec("conv_gelu")
    assert spec.parameters(PLACE) == 9 * 4 * 6 + 2 * 6
    assert spec.flops(PLACE) == 9 * 4 * 6 * 16
    assert spec.alive(PLACE) == 2 * 6 * 16
    assert (spec.nonlinear_functions, spec.reach, spec.is_identity, spec.is_zero) == (1, 1, False, False)
    assert spec.name == "conv_gelu"
    assert of_cell is spec is operation_spec("conv_gelu", 2)
    assert (spec.parameters(Shape(4, 4, 6, 6)), spec.flops(Shape(4, 4, 6, 6))) == (9 * 16 + 8, 9 * 16 * 36)
    assert spec.flops(Shape(4, 4, 6, 3)) == 9 * 16 * 9


def test_it_is_built_wherever_built_in_ones_are() -> None:
    module = build_block("conv_gelu", PLACE, RecordingBatchNorm)
    assert module(torch.zeros(2, 4, 7, 7)).shape == (2, 6, 4, 4)
    assert any(isinstance(part, RecordingBatchNorm) for part in module.modules())
    assert build_operation("conv_gelu", 4, stride=2)(torch.zeros(2, 4, 6, 6)).shape == (2, 4, 3, 3)


def test_a_family_is_a_loop() -> None:
    def build(kernel: int, i: int, o: int, stride: int, norm: Callable[[int], nn.Module]) -> nn.Module:
        return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), norm(o))

    with registering("mine.py", "digest"):
        for k in (3, 5):
            operation(f"plain_k{k}", nonlinear_functions=0, reach=k // 2)(partial(build, k))
    assert [find_block(f"plain_k{k}").parameters(PLACE) for k in (3, 5)] == [9 * 24 + 12, 25 * 24 + 12]


def test_what_is_declared_and_right_is_taken() -> None:
    registered(
        convolution, parameters=lambda s: (9 * s.in_channels + 2) * s.out_channels, flops=lambda s: 9 * 4 * s.outputs
    )
    assert find_block("tried").parameters(PLACE) == 228


def linear(i: int, o: int, *_: object) -> nn.Module:
    return nn.Linear(i, o)


def twice(i: int, o: int, stride: int, norm: Any) -> nn.Module:  # noqa: ANN401
    module = convolution(i, o, stride, norm)
    module.again = nn.Sequential(next(module.children()))
    return module


def lacking(*_: object) -> nn.Module:
    raise KeyError("width")


@pytest.mark.parametrize(
    ("build", "said", "message"),
    [
        (convolution, {"reach": 0}, "declares a reach of 0 pixels AT, but what it builds has 1, 1 more"),
        (convolution, {"parameters": lambda _: 230}, "declares 230 parameters AT, but what it builds has 228, 2 fewer"),
        (convolution, {"flops": lambda _: 1}, "but what it builds has 3,456, 3,455 more"),
        (lambda i, o, _stride, norm: convolution(i, o, 1, norm), {}, "gives 6x7x7 AT, not 6x4x4; correct it"),
        (lambda i, o, stride, _: convolution(i, o, stride, nn.BatchNorm2d), {}, "builds a BatchNorm2d of its own"),
        (lambda *_: 3, {}, "must build a torch.nn.Module (got int); return one"),
        (lambda *_: nn.LSTM(7, 7), {}, "does not run AT: "),
        (lambda i, o: nn.Conv2d(i, o, 1), {}, "cannot be built AT: TypeError: "),
        (lacking, {}, "cannot be built AT: KeyError: 'width'"),
        (linear, {}, "does not run AT: RuntimeError: "),
        (twice, {}, "has one weight under two names, 0.weight and again.0.weight; make each part an attribute once"),
    ],
)
def test_what_is_wrong_with_it_is_said(build: Callable[..., Any], said: dict[str, Any], message: str) -> None:
    registered(build, **said)
    with pytest.raises(SpaceError, match=re.escape(message.replace("AT", AT))) as caught:
        find_block("tried").flops(PLACE)
    assert str(caught.value).startswith("operation 'tried' of mine.py")


def test_a_builder_that_fails_where_nothing_was_counted_is_told_as_well() -> None:
    registered(lacking)
    with pytest.raises(SpaceError, match=re.escape("from 4 to 6 channels at a stride of 2: KeyError: 'width'")):
        build_block("tried", PLACE)
    with pytest.raises(SpaceError, match=f"mine.py, line {lacking.__code__.co_firstlineno + 1} cannot be built"):
        build_operation("tried", 4)


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("none", {}, "the operation 'none' has the name of a built-in one; give it another"),
        ("mbconv_k3_e9", {}, "has the name of a built-in one"),
        ("classifier", {}, "has the name of a built-in one"),
        ("x", {"reach": -1}, "reach of operation 'x' must be a whole number from 0 to 64 (got -1)"),
        ("x", {"nonlinear_functions": True}, "must be a whole number from 0 to 64 (got True)"),
        ("x", {"nonlinear_functions": 2.0}, "must be a whole number from 0 to 64 (got 2.0)"),
    ],
)
def test_what_cannot_be_declared_is_refused_anywhere(name: str, said: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        operation(name, **{"nonlinear_functions": 1, "reach": 1} | said)


def test_an_operation_that_changes_its_input_is_refused() -> None:
    def in_place(i: int, o: int, stride: int, norm: Callable[[int], nn.Module]) -> nn.Module:
        return nn.Sequential(nn.ReLU(inplace=True), convolution(i, o, stride, norm))

    registered(in_place)
    with pytest.raises(SpaceError, match=r"'tried' of mine\.py changes what it is given.* leave out inplace=True"):
        find_block("tried").parameters(PLACE)

    def later(i: int, o: int, stride: int, norm: Callable[[int], nn.Module]) -> nn.Module:
        return nn.Sequential(convolution(i, o, stride, norm), nn.ReLU(inplace=True))

    with registering("mine.py", "digest"):
        operation("later", nonlinear_functions=2, reach=1)(later)
    assert find_block("later").parameters(PLACE) == find_block("conv_gelu").parameters(PLACE)


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (lambda shape: shape.height, r"its function flops fails from 4x7x7 to 6x4x4: .*no attribute 'height'"),
        (lambda shape: float(shape.in_channels), r"its function flops must give a whole number \(got 4.0 from 4x7x7"),
    ],
)
def test_a_count_that_fails_is_said(count: Callable[[Shape], Any], message: str) -> None:
    registered(convolution, flops=count)
    with pytest.raises(SpaceError, match=message):
        find_block("tried").flops(PLACE)

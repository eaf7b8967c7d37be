"""Operations that users write: declared by ``@operation``, counted as they are built, and built.

A program that a space names registers them::

    from torch import nn
    from surrogate_nas import operation

    @operation("conv_gelu_k3", nonlinear_functions=1, reach=1)
    def conv_gelu(in_channels, out_channels, stride, norm):
        convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        return nn.Sequential(convolution, norm(out_channels), nn.GELU())
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.module_counts import Counted, count_module
from surrogate_nas.space.operations.families import FAMILIES, parse_block
from surrogate_nas.space.operations.fixed import FIXED_LAYERS
from surrogate_nas.space.operations.program import line_in, words_of
from surrogate_nas.space.operations.registry import Builder, OwnOperation, register, running_program
from surrogate_nas.space.operations.spec import Count, OperationSpec, Shape
from surrogate_nas.space.operations.table import OPERATIONS

Norm = Callable[[int], nn.Module]
_MOST = 64  # nonlinear functions, and pixels of reach


def operation(
    name: str,
    *,
    nonlinear_functions: int,
    reach: int,
    parameters: Count | None = None,
    flops: Count | None = None,
) -> Callable[[Builder], Builder]:
    """Registers an operation for the space whose program this is; elsewhere it only checks what it is given.

    Args:
        name: As ``operations`` of the space call it: small letters, digits and ``_``.
        nonlinear_functions: Activations inside, which sub-supernets and the predictor go by; 0 to 64.
        reach: Pixels by which its convolutions widen what a pixel sees, to each side: 1 for one of 3x3.
        parameters: What you expect, as a function of a ``Shape``; what is built must have as many.
        flops: Likewise multiply-accumulates of one image.

    Returns:
        A decorator of a function ``(in_channels, out_channels, stride, norm)`` that builds a module from
        (B, in_channels, S, S) to (B, out_channels, S / stride, S / stride), rounded up, with normalisations
        ``norm(channels)``.

    Raises:
        SpaceError: If an argument is impossible, or another operation has the name.

    Example:
        >>> from torch import nn
        >>> from surrogate_nas import operation
        >>> @operation("gelu_1x1", nonlinear_functions=1, reach=0)
        ... def gelu_1x1(in_channels, out_channels, stride, norm):
        ...     convolution = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        ...     return nn.Sequential(nn.GELU(), convolution, norm(out_channels))
    """
    _check_name(name)
    for word, value in (("nonlinear_functions", nonlinear_functions), ("reach", reach)):
        if type(value) is not int or not 0 <= value <= _MOST:
            raise SpaceError(f"{word} of operation {name!r} must be a whole number from 0 to {_MOST} (got {value!r})")

    def decorate(build: Builder) -> Builder:
        where = f"operation {name!r} of {running_program() or 'a program'}"

        @lru_cache(maxsize=4096)
        def counted(shape: Shape) -> Counted:
            found = _count(build, shape, where)
            for word, told, got in (
                ("a reach of {} pixels", reach, found.reach),
                ("{} parameters", _declared(parameters, "parameters", shape, where), found.parameters),
                ("{} multiply-accumulates", _declared(flops, "flops", shape, where), found.flops),
            ):
                if told is not None and told != got:
                    raise SpaceError(
                        f"{where} declares {word.format(f'{told:,}')} {_at(shape)}, but what it builds has {got:,},"
                        f" {abs(got - told):,} {'more' if got > told else 'fewer'}; correct one of them"
                    )
            return found

        spec = OperationSpec(
            name,
            nonlinear_functions,
            parameters=lambda shape: counted(shape).parameters,
            flops=lambda shape: counted(shape).flops,
            alive=lambda shape: counted(shape).alive,
            reach=reach,
        )
        register(spec, build)
        return build

    return decorate


def _declared(count: Callable[[Shape], int] | None, name: str, shape: Shape, where: str) -> int | None:
    """Returns what a user's function counts; None without one.

    Raises:
        SpaceError: If the function fails, or gives anything else than a whole number.
    """
    if count is None:
        return None
    try:
        found = count(shape)
    except Exception as error:  # whatever a user's function raises
        raise SpaceError(f"{where}: its function {name} fails {_at(shape)}: {words_of(error)}") from None
    if type(found) is not int:
        raise SpaceError(f"{where}: its function {name} must give a whole number (got {found!r:.60} {_at(shape)})")
    return found


def build_own(own: OwnOperation, in_channels: int, out_channels: int, stride: int, norm: Norm) -> nn.Module:
    """Returns the module of an operation.

    Raises:
        SpaceError: If its builder fails.
    """
    place = f"from {in_channels} to {out_channels} channels at a stride of {stride}"
    return _build(own.build, in_channels, out_channels, stride, norm, f"operation {own.name!r} of {own.program}", place)


class _Given(nn.BatchNorm2d):
    """The normalisation that a builder is given, as distinct from normalisations of its own."""


def _check_name(name: str) -> None:
    try:
        parse_block(name)
        is_block = True
    except SpaceError:
        is_block = False
    if is_block or name in {*OPERATIONS, *FAMILIES, *FIXED_LAYERS}:
        raise SpaceError(f"the operation {name!r} has the name of a built-in one; give it another")


def _build(build: Builder, i: int, o: int, stride: int, norm: Norm, where: str, place: str) -> nn.Module:
    try:
        module = build(i, o, stride, norm)
    except Exception as error:  # whatever a user's function raises
        line = line_in(error, _file_of(build))
        raise SpaceError(f"{where}{line} cannot be built {place}: {words_of(error)}") from None
    if not isinstance(module, nn.Module):
        raise SpaceError(f"{where} must build a torch.nn.Module (got {type(module).__name__}); return one")
    return module


def _count(build: Builder, shape: Shape, where: str) -> Counted:
    with torch.device("meta"):
        module = _build(build, shape.in_channels, shape.out_channels, shape.stride, _Given, where, _at(shape))
        own = [part for part in module.modules() if isinstance(part, _BatchNorm) and not isinstance(part, _Given)]
        if own:
            raise SpaceError(
                f"{where} builds a {type(own[0]).__name__} of its own, which would mix the statistics of all networks"
                " of a supernet; build normalisations by norm(channels)"
            )
        _require_one_name(module, where)
        try:
            found = count_module(module, shape)
        except Exception as error:  # whatever a user's module raises
            line = line_in(error, _file_of(build))
            raise SpaceError(f"{where}{line} does not run {_at(shape)}: {words_of(error)}") from None
    if found.overwrites:
        raise SpaceError(
            f"{where} changes what it is given, which other operations read too; leave out inplace=True in its first"
            " layer"
        )
    wanted = (shape.out_channels, shape.out_size, shape.out_size)
    if found.result != wanted:
        got = "no tensor of one image" if found.result is None else _product(found.result)
        raise SpaceError(
            f"{where} gives {got} {_at(shape)}, not {_product(wanted)}; correct it, or let it stand elsewhere only"
        )
    return found


def _require_one_name(module: nn.Module, where: str) -> None:
    """Refuses a weight that several names lead to: files keep it once, and so could not be read back.

    Raises:
        SpaceError: If there is one.
    """
    names: dict[int, str] = {}
    for name, weight in module.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(weight), name)
        if first != name:
            raise SpaceError(
                f"{where} has one weight under two names, {first} and {name}; make each part an attribute once, such as"
                " in the nn.Sequential alone"
            )


def _file_of(build: Any) -> str:  # noqa: ANN401 - a function, a partial or a class
    inner = getattr(build, "func", build)
    code = getattr(inner, "__code__", None) or getattr(getattr(inner, "__init__", None), "__code__", None)
    return str(code.co_filename) if code is not None else ""


def _at(shape: Shape) -> str:
    before, after = (shape.in_channels, shape.in_size), (shape.out_channels, shape.out_size)
    return "from {}x{}x{} to {}x{}x{}".format(*before, before[1], *after, after[1])


def _product(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))

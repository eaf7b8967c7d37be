"""Blocks by name: a family and its parameters, such as ``mbconv_k5_e6_se``; ``surrogate_nas.nets.blocks`` builds them.

Symbols:
    i, o: channels in and out. k: side of a kernel. e: expansion. g: groups of the 1x1 convolutions.
    h: hidden channels, e i or as the name says. r: the middle of a bottleneck has 1/r of its channels.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from surrogate_nas._support.words import choose_from, shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.registry import find_own, others_in_words
from surrogate_nas.space.operations.spec import OperationSpec, Shape, nothing

_PARAMETER = re.compile(r"([a-gi-z])([1-9]\d?)|(h)([1-9]\d{0,3})", re.ASCII)
_SQUEEZE, _HARD_SWISH, _RELU = "se", "hs", "re"
_SIZE = re.compile(
    r"_(?:[ker][1-9]\d?|h[1-9]\d{0,3})(?=_|$)", re.ASCII
)  # parameters that change sizes of weights alone


@dataclass(frozen=True)
class BlockName:
    """A name taken apart.

    Attributes:
        text: The name itself.
        family: Name of the family.
        numbers: Value of each parameter, by its letter.
        squeeze: Whether it has squeeze and excitation.
        hard_swish: Whether its activations are the hard swish of MobileNetV3 (arXiv 1905.02244) instead of ReLU6.
        relu: Whether its activations are ReLU instead of ReLU6, as others of MobileNetV3 are.
    """

    text: str
    family: str
    numbers: Mapping[str, int]
    squeeze: bool = False
    hard_swish: bool = False
    relu: bool = False

    def hidden(self, shape: Shape) -> int:
        """Returns the channels between the 1x1 convolutions of an inverted residual, h."""
        return self.numbers.get("h", 0) or self.numbers["e"] * shape.in_channels


def squeezed(hidden: int, *, rounded: bool = False) -> int:
    """Returns the channels between the two layers of squeeze and excitation (arXiv 1709.01507): a quarter.

    Args:
        hidden: Channels that are scaled.
        rounded: Whether to the nearest multiple of 8 that is at least nine tenths of it, as MobileNetV3 has it.
    """
    quarter = hidden // 4
    if not rounded:
        return max(1, quarter)
    nearest = max(8, (quarter + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * quarter else nearest


def _mbconv(name: BlockName) -> OperationSpec:
    """Returns an inverted residual (arXiv 1801.04381); grouped as in FBNet (arXiv 1812.03443), squeezed as in V3."""
    k, g, rounded = name.numbers["k"], name.numbers.get("g", 1), "h" in name.numbers

    def parameters(shape: Shape) -> int:
        i, o = shape.in_channels, shape.out_channels
        h = name.hidden(shape)
        s = squeezed(h, rounded=rounded)
        gate = 2 * h * s + s + h if name.squeeze else 0
        return (i * h + h * o) // g + k * k * h + 2 * (h + h + o) + gate

    def flops(shape: Shape) -> int:
        h = name.hidden(shape)
        gate = 2 * h * squeezed(h, rounded=rounded) if name.squeeze else 0
        area = shape.out_size**2
        return h * shape.inputs // g + (k * k * h + h * shape.out_channels // g) * area + gate

    def alive(shape: Shape) -> int:
        h = name.hidden(shape)
        wide, narrow = h * shape.in_size**2, h * shape.out_size**2
        # Each step holds what it takes and what it gives; vectors, as of a squeeze, are not counted.
        return max(2 * wide, wide + narrow, 2 * narrow, narrow + shape.outputs, 2 * shape.outputs)

    return OperationSpec(name.text, 2 + 2 * name.squeeze, parameters, flops, alive, reach=k // 2, divisor=g)


def _dsconv(name: BlockName) -> OperationSpec:
    """Returns depthwise convolution, BN, ReLU, 1x1 convolution, BN: MobileNetV2's first block (arXiv 1801.04381)."""
    k = name.numbers["k"]
    return OperationSpec(
        name.text,
        1,
        parameters=lambda s: (k * k + 2 + s.out_channels) * s.in_channels + 2 * s.out_channels,
        flops=lambda s: (k * k + s.out_channels) * s.in_channels * s.out_size**2,
        alive=lambda s: max(
            2 * s.in_channels * s.out_size**2, s.in_channels * s.out_size**2 + s.outputs, 2 * s.outputs
        ),
        reach=k // 2,
    )


def _dsres(name: BlockName) -> OperationSpec:
    """Returns depthwise convolution, BN, ReLU, 1x1 convolution, BN, the input added: MobileNetV3's first block."""
    k = name.numbers["k"]

    def gate(i: int) -> int:
        return squeezed(i, rounded=True) if name.squeeze else 0

    def parameters(shape: Shape) -> int:
        i, s = shape.in_channels, gate(shape.in_channels)
        return (k * k + 2 + shape.out_channels) * i + 2 * shape.out_channels + (2 * i * s + s + i if s else 0)

    def alive(shape: Shape) -> int:
        narrow = shape.in_channels * shape.out_size**2
        return max(2 * narrow, narrow + shape.outputs, 2 * shape.outputs)

    return OperationSpec(
        name.text,
        1 + 2 * name.squeeze,
        parameters,
        flops=lambda s: (
            (k * k + s.out_channels) * s.in_channels * s.out_size**2 + 2 * s.in_channels * gate(s.in_channels)
        ),
        alive=alive,
        reach=k // 2,
    )


def _fused(name: BlockName) -> OperationSpec:
    """Returns an inverted residual whose first two convolutions are one, kxk (EfficientNetV2, arXiv 2104.00298)."""
    k, e = name.numbers["k"], name.numbers["e"]

    def parameters(shape: Shape) -> int:
        h, o = e * shape.in_channels, shape.out_channels
        gate = 2 * h * squeezed(h) + squeezed(h) + h if name.squeeze else 0
        return k * k * shape.in_channels * h + h * o + 2 * (h + o) + gate

    def flops(shape: Shape) -> int:
        h = e * shape.in_channels
        gate = 2 * h * squeezed(h) if name.squeeze else 0
        return h * (k * k * shape.in_channels + shape.out_channels) * shape.out_size**2 + gate

    def alive(shape: Shape) -> int:
        hidden = e * shape.in_channels * shape.out_size**2
        return max(2 * hidden, hidden + shape.outputs, 2 * shape.outputs)

    return OperationSpec(name.text, 1 + 2 * name.squeeze, parameters, flops, alive, reach=k // 2)


def _basic(name: BlockName) -> OperationSpec:
    """Returns ResNet's block of two convolutions (arXiv 1512.03385); its shortcut is a 1x1 convolution or nothing."""
    k = name.numbers["k"]

    def parameters(shape: Shape) -> int:
        i, o = shape.in_channels, shape.out_channels
        return k * k * (i + o) * o + 4 * o + _shortcut.parameters(shape)

    return OperationSpec(
        name.text,
        2,
        parameters,
        flops=lambda s: k * k * (s.in_channels + s.out_channels) * s.outputs + _shortcut.flops(s),
        alive=lambda s: max(2 * s.outputs, _joined(s)),
        reach=2 * (k // 2),
    )


def _bottleneck(name: BlockName) -> OperationSpec:
    """Returns ResNet's block of 1x1, kxk and 1x1 convolutions, with 1/r of the channels in the middle."""
    k, r = name.numbers["k"], name.numbers["r"]

    def parameters(shape: Shape) -> int:
        i, o = shape.in_channels, shape.out_channels
        m = reduced(o, r)
        return (i + k * k * m + o) * m + 4 * m + 2 * o + _shortcut.parameters(shape)

    def flops(shape: Shape) -> int:
        m = reduced(shape.out_channels, r)
        area = shape.out_size**2
        return m * shape.inputs + (k * k * m + shape.out_channels) * m * area + _shortcut.flops(shape)

    def alive(shape: Shape) -> int:
        m = reduced(shape.out_channels, r)
        before, after = m * shape.in_size**2, m * shape.out_size**2
        return max(2 * before, before + after, after + shape.outputs, 2 * shape.outputs, _joined(shape))

    return OperationSpec(name.text, 3, parameters, flops, alive, reach=k // 2)


def reduced(channels: int, ratio: int) -> int:
    """Returns the channels in the middle of a bottleneck."""
    return max(1, channels // ratio)


def _joined(shape: Shape) -> int:
    """Returns the most numbers alive while a shortcut is computed and added to what the convolutions gave."""
    return shape.outputs + max(_shortcut.alive(shape), shape.outputs * (1 if shape.keeps else 2))


def _conv_bn_relu(name: BlockName) -> OperationSpec:
    k = name.numbers["k"]
    return OperationSpec(
        name.text,
        1,
        parameters=lambda s: (k * k * s.in_channels + 2) * s.out_channels,
        flops=lambda s: k * k * s.in_channels * s.outputs,
        alive=lambda s: 2 * s.outputs,
        reach=k // 2,
    )


def _skip(name: BlockName) -> OperationSpec:
    """Returns an identity; where the shape changes, a 1x1 convolution with BN (NAS-Bench-Macro, arXiv 2103.11922)."""
    return OperationSpec(
        name.text,
        0,
        parameters=lambda s: 0 if s.keeps else (s.in_channels + 2) * s.out_channels,
        flops=lambda s: 0 if s.keeps else s.in_channels * s.outputs,
        alive=lambda s: 0 if s.keeps else s.outputs + max(s.outputs, s.in_channels * s.out_size**2 * (s.stride > 1)),
        is_identity=True,
    )


_shortcut = _skip(BlockName("skip", "skip", MappingProxyType({})))


def _identity(name: BlockName) -> OperationSpec:
    return OperationSpec(name.text, 0, nothing, nothing, nothing, is_identity=True, changes_shape=False)


@dataclass(frozen=True)
class _Family:
    """Letters of parameters that must and may be given, words that may follow, and what a block costs.

    ``instead`` has other letters that may stand in place of those that must.
    """

    spec: Callable[[BlockName], OperationSpec]
    needs: str = ""
    may: str = ""
    words: tuple[str, ...] = ()
    instead: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """Letters that a name may have, in their order."""
        others = () if self.instead is None else (self.instead,)
        return (self.needs, self.needs + self.may, *others)


FAMILIES: MappingProxyType[str, _Family] = MappingProxyType(
    {
        "identity": _Family(_identity),
        "skip": _Family(_skip),
        "conv_bn_relu": _Family(_conv_bn_relu, needs="k"),
        "conv_bn_hs": _Family(_conv_bn_relu, needs="k"),
        "conv_bn_re": _Family(_conv_bn_relu, needs="k"),
        "dsconv": _Family(_dsconv, needs="k"),
        "dsres": _Family(_dsres, needs="k", words=(_SQUEEZE,)),
        "basic": _Family(_basic, needs="k"),
        "bottleneck": _Family(_bottleneck, needs="kr"),
        "fused": _Family(_fused, needs="ke", words=(_SQUEEZE, _HARD_SWISH)),
        "mbconv": _Family(_mbconv, needs="ke", may="g", words=(_SQUEEZE, _RELU, _HARD_SWISH), instead="kh"),
    }
)
FORMS = {
    family: tuple(
        family
        + "".join(f"_{letter}N" for letter in letters)
        + "".join(f"[_{letter}N]" for letter in one.may if letters == one.needs)
        + "".join(f"[_{word}]" for word in one.words)
        for letters in (one.needs, *(() if one.instead is None else (one.instead,)))
    )
    for family, one in FAMILIES.items()
}
"""How the names of the blocks of each family are written."""


@lru_cache(maxsize=1024)
def family_of(name: str) -> str | None:
    """Returns the family that a block's name begins with, the longest where there are several."""
    return max((each for each in FAMILIES if name == each or name.startswith(f"{each}_")), key=len, default=None)


def parse_block(name: str) -> BlockName:
    """Returns a block's family and parameters.

    Raises:
        SpaceError: If there is no such block.
    """
    family = family_of(name)
    if family is None:
        forms = [form for each in FORMS.values() for form in each]
        raise SpaceError(f"unknown block {shown(name)}; {choose_from(forms, name, 100)}{others_in_words()}")
    rules = FAMILIES[family]
    words = name[len(family) :].split("_")[1:]
    last = [word for word in rules.words if word in words]
    if last and words[-len(last) :] == last:
        words = words[: -len(last)]
    found = [_PARAMETER.fullmatch(word) for word in words]
    numbers = {match[1] or match[3]: int(match[2] or match[4]) for match in found if match}
    letters = "".join(numbers)
    both = _RELU in last and _HARD_SWISH in last
    if None in found or len(letters) < len(found) or both or letters not in rules.forms:
        raise SpaceError(
            f"the block {shown(name)} is not written like {' or '.join(FORMS[family])}, with whole numbers N below 100,"
            " of h below 10,000"
        )
    if numbers.get("k", 1) % 2 == 0:
        raise SpaceError(f"the kernel k of block {name!r} must be odd")
    return BlockName(name, family, MappingProxyType(numbers), _SQUEEZE in last, _HARD_SWISH in last, relu=_RELU in last)


def structure_of(name: str) -> str:
    """Returns a block's name without kernel, expansion and reduction, in which blocks of one structure differ.

    A block that a user wrote is a structure of its own.
    """
    return name if find_own(name) is not None else _SIZE.sub("", name)


def find_block(name: str) -> OperationSpec:
    """Returns a block, also one that a user wrote.

    Raises:
        SpaceError: If there is no such block.
    """
    own = find_own(name)
    return _built_in(name) if own is None else own.spec


@lru_cache(maxsize=1024)
def _built_in(name: str) -> OperationSpec:
    parsed = parse_block(name)
    return FAMILIES[parsed.family].spec(parsed)

"""Parts of a block's weights compute what a block of its own with copied weights computes."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.blocks import Residual, build_block
from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, scaled_norm, set_mode
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.slices import Nest, named_weights
from surrogate_nas.space.operations.spec import Shape

STRUCTURES = (
    "mbconv_k{k}_e{e}",
    "mbconv_k{k}_e{e}_g2",
    "mbconv_k{k}_e{e}_se",
    "mbconv_k{k}_e{e}_hs",
    "mbconv_k{k}_e{e}_g2_se_hs",
    "fused_k{k}_e{e}",
    "fused_k{k}_e{e}_se_hs",
    "basic_k{k}",
    "bottleneck_k{k}_r{e}",
    "dsconv_k{k}",
    "conv_bn_relu_k{k}",
    "conv_bn_hs_k{k}",
    "conv_bn_re_k{k}",
)
SIDE = 6


def template(name: str, inputs: int, outputs: int, stride: int, norm: Norm = RecordingBatchNorm) -> nn.Module:
    with torch.device("meta"):
        return built(name, inputs, outputs, stride, norm)


def built(name: str, inputs: int, outputs: int, stride: int, norm: Norm = RecordingBatchNorm) -> nn.Module:
    return build_block(name, Shape(inputs, outputs, SIDE, -(-SIDE // stride)), norm)


def randomised(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def cut(whole: Tensor, shape: Sequence[int], groups: int) -> Tensor:
    """The part of a weight by its definition, one number after another in loops over groups."""
    if whole.dim() == 1:
        return whole[: shape[0]]
    edges = [(large - small) // 2 for large, small in zip(whole.shape[2:], shape[2:], strict=True)]
    part = whole.new_empty(*shape)
    for group in range(groups):
        for channel in range(shape[0] // groups):
            row = whole[group * (len(whole) // groups) + channel, : shape[1]]
            for edge, side in zip(edges, shape[2:], strict=True):
                row = row.narrow(-2, edge, side).transpose(-1, -2)
            part[group * (shape[0] // groups) + channel] = row
    return part


sizes = st.tuples(st.sampled_from((3, 5, 7)), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=60, deadline=None)
@given(
    structure=st.sampled_from(STRUCTURES),
    members=st.lists(sizes, min_size=2, max_size=3),
    stride=st.sampled_from((1, 2)),
    channels_last=st.booleans(),
    norm=st.sampled_from((RecordingBatchNorm, scaled_norm)),
)
def test_a_part_is_a_block_of_its_own_with_these_weights(
    structure: str, members: list[tuple[int, int, int, int]], stride: int, channels_last: bool, norm: Norm
) -> None:
    shapes = [(structure.format(k=k, e=e), 2 * i, 2 * o, stride) for k, e, i, o in members]
    nest = Nest([template(*shape, norm) for shape in shapes], structure).double()
    randomised(nest)
    whole = dict(nest.named_parameters())
    for number, shape in enumerate(shapes):
        own = built(*shape, norm).double()
        with torch.no_grad():
            for path, part in own.named_modules():
                for name, parameter in part.named_parameters(recurse=False):
                    of_whole = getattr(nest.get_submodule(path), "groups", 1)
                    groups = of_whole if getattr(part, "groups", 1) == of_whole else 1  # else depthwise
                    parameter.copy_(cut(whole[f"{path}.{name}"], parameter.shape, groups))
        x = torch.randn(4, shape[1], SIDE, SIDE, generator=torch.Generator().manual_seed(1)).double()
        both = [one.to(memory_format=torch.channels_last) if channels_last else one for one in (x, x)]
        mine, theirs = nest(both[0], number), own(both[1])
        torch.testing.assert_close(mine, theirs)
        assert theirs.std() > 0
        inverted = structure.startswith(("mbconv", "fused"))
        assert isinstance(own, Residual) == (inverted and shape[1] == shape[2] and stride == 1)
        found = dict(named_weights(nest.member(number)))
        assert all(torch.equal(found.pop(name), weight) for name, weight in own.named_parameters())
        assert not found


def test_gradients_reach_the_part_and_nothing_else() -> None:
    large, small = ("mbconv_k5_e4_se", 6, 8, 1), ("mbconv_k3_e2_se", 4, 6, 1)
    nest = Nest([template(*large), template(*small)], "both")
    randomised(nest)
    nest(torch.randn(4, 4, SIDE, SIDE), 1).square().sum().backward()
    own = built(*small)
    for name, weight in nest.named_parameters():
        shape = dict(own.named_parameters())[name].shape
        assert weight.grad is not None
        inside = torch.zeros_like(weight, dtype=torch.bool)
        edges = [(big - side) // 2 for big, side in zip(weight.shape[2:], shape[2:], strict=True)]
        kernel = tuple(slice(edge, edge + side) for edge, side in zip(edges, shape[2:], strict=True))
        inside[(*map(slice, shape[:2]), *kernel)] = True
        assert not inside.all()
        assert (weight.grad[~inside] == 0).all()
        assert (weight.grad[inside] != 0).float().mean() > 0.5


def test_the_largest_runs_the_weights_themselves() -> None:
    large, small = ("mbconv_k5_e4", 6, 6, 1), ("mbconv_k3_e4", 6, 6, 1)
    nest = Nest([template(*small), template(*large)], "both")
    owners = [part for part in nest.modules() if isinstance(part, nn.Conv2d)]
    assert [part for part in nest.member(1).modules() if isinstance(part, nn.Conv2d)] == owners
    used = [part for part in nest.member(0).modules() if isinstance(part, nn.Conv2d)]
    assert used == [owners[0], owners[2]]  # all but the depthwise one, whose kernel is cut


def test_only_the_weights_are_registered_and_once() -> None:
    nest = Nest([template("mbconv_k3_e2", 4, 4, 1), template("mbconv_k5_e3", 4, 4, 1)], "both")
    alone = built("mbconv_k5_e3", 4, 4, 1)
    assert [name for name, _ in nest.named_parameters()] == [name for name, _ in alone.named_parameters()]
    assert [each.shape for each in nest.parameters()] == [each.shape for each in alone.parameters()]
    assert nest.state_dict().keys() == {name for name, _ in nest.named_parameters()}


def test_statistics_are_of_the_part_that_recorded_them() -> None:
    large, small = ("mbconv_k3_e3", 4, 4, 1), ("mbconv_k3_e2", 4, 4, 1)
    nest, own = Nest([template(*large), template(*small)], "both"), built(*small)
    randomised(nest)
    own.load_state_dict(dict(named_weights(nest.member(1))))
    batches = torch.randn(4, 5, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    for module in (nest, own):
        set_mode(module, NormMode.RECORD)
    for x in batches[:3]:
        torch.testing.assert_close(nest(x, 1), own(x))
    for module in (nest, own):
        set_mode(module, NormMode.RECORDED)
    torch.testing.assert_close(nest(batches[3], 1), own(batches[3]))


def test_members_follow_the_device_precision_and_mode_of_the_weights() -> None:
    def with_dropout(channels: int) -> nn.Module:
        with torch.device("meta"):
            return nn.Sequential(nn.Dropout(), nn.Linear(channels, 3))

    nest = Nest([with_dropout(4), with_dropout(2)], "both").double().eval()
    x = torch.ones(50, 2, dtype=torch.float64)
    assert torch.equal(nest(x, 1), nest(x, 1))
    assert not torch.equal(nest.train()(x, 1), nest(x, 1))


def pair(one: nn.Module, other: nn.Module) -> list[nn.Module]:
    return [one, other]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (lambda: pair(nn.Conv2d(2, 2, 3), nn.Linear(2, 2)), " of pair is of different kinds, Conv2d and Linear"),
        (lambda: pair(nn.Linear(2, 2), nn.Linear(2, 3, bias=False)), "has a bias in some modules only"),
        (lambda: pair(nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 4)), "a kernel that has another centre in some modules only"),
        (lambda: pair(nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 3, dilation=2)), "has another dilation in some"),
        (lambda: pair(nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 4, 1)), "has groups of another size in some"),
        (lambda: pair(nn.PReLU(2), nn.PReLU(2)), "is a PReLU, and parts are taken of Conv2d, Linear and norm"),
        (
            lambda: [template("mbconv_k3_e2", 4, 4, 1), template("mbconv_k3_e2_se", 4, 4, 1)],
            "6 of pair holds 6.squeeze in some modules only",
        ),
    ],
)
def test_structures_that_do_not_match_are_refused(members: object, message: str) -> None:
    with torch.device("meta"):
        made = members()  # type: ignore[operator]
    with pytest.raises(SpaceError, match="no part can be taken of these weights: ") as refusal:
        Nest(made, "pair")
    assert message in str(refusal.value)

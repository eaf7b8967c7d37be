"""The quick pooling against torch's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surrogate_nas.nets.pooling import AveragePool3x3

REFERENCE = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 17), st.integers(1, 17)),
    channels_last=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_and_gradients_are_those_of_torch(
    shape: tuple[int, int, int, int], channels_last: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    kind = torch.channels_last if channels_last else torch.contiguous_format
    ours = torch.randn(shape, generator=generator, dtype=torch.float64).contiguous(memory_format=kind).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    upstream = torch.randn(shape, generator=generator, dtype=torch.float64)
    y, expected = AveragePool3x3()(ours), REFERENCE(theirs)
    torch.testing.assert_close(y, expected)
    y.backward(upstream)
    expected.backward(upstream)
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("side", [4, 16])
def test_the_memory_format_is_kept(side: int) -> None:
    x = torch.randn(2, 8, side, side).contiguous(memory_format=torch.channels_last)
    assert AveragePool3x3()(x).is_contiguous(memory_format=torch.channels_last)


def test_the_input_is_left_as_it_is() -> None:
    x = torch.ones(1, 2, 8, 8).contiguous(memory_format=torch.channels_last)
    AveragePool3x3()(x)
    assert torch.equal(x, torch.ones(1, 2, 8, 8))


def test_gradients_agree_with_finite_differences() -> None:
    x = torch.randn(1, 2, 8, 9, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert torch.autograd.gradcheck(AveragePool3x3(), (x,))

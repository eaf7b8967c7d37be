"""The sum over paths against a definition by recursion."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from surrogate_nas.nets.cell import run_cell

Operation = Callable[[Tensor], Tensor]
EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
# Each maps zero to something else, so that running an operation that no data reach would show.
CHOICES: dict[str, Operation | None] = {
    "cut": None,
    "same": lambda x: x,
    "affine": lambda x: 2 * x + 1,
    "square": lambda x: x * x - 3,
}


def value(node: int, edges: list[tuple[int, int]], operations: list[Operation | None], x: Tensor) -> Tensor | None:
    """The value of a node from those before it; ``None`` where no data arrive."""
    if node == 0:
        return x
    arriving = []
    for (start, end), operation in zip(edges, operations, strict=True):
        before = value(start, edges, operations, x) if end == node and operation is not None else None
        if operation is not None and before is not None:
            arriving.append(operation(before))
    return sum(arriving[1:], arriving[0]) if arriving else None


@given(st.lists(st.sampled_from(sorted(CHOICES)), min_size=6, max_size=6))
def test_agrees_with_the_definition(names: list[str]) -> None:
    operations = [CHOICES[name] for name in names]
    x = torch.arange(2.0 * 3 * 4 * 4, dtype=torch.float64).reshape(2, 3, 4, 4) / 50
    expected = value(3, EDGES, operations, x)
    torch.testing.assert_close(run_cell(EDGES, operations, x), torch.zeros_like(x) if expected is None else expected)


def test_the_input_is_left_as_it_is() -> None:
    x = torch.ones(1, 1, 2, 2)
    y = run_cell(EDGES, [CHOICES["same"]] * 6, x)
    assert torch.equal(x, torch.ones(1, 1, 2, 2))
    assert torch.equal(y, 4 * x)  # one for each path


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_a_cut_cell_gives_zeros_of_the_same_kind(kind: torch.dtype) -> None:
    x = torch.ones(2, 3, 4, 4, dtype=kind)
    y = run_cell(EDGES, [None] * 6, x)
    assert (y.shape, y.dtype, y.any().item()) == (x.shape, kind, False)


def test_an_operation_that_no_data_reach_is_not_run() -> None:
    def never(x: Tensor) -> Tensor:
        raise AssertionError

    same = CHOICES["same"]
    assert run_cell(EDGES, [None, same, never, None, never, same], torch.ones(1, 1, 1, 1)).item() == 1

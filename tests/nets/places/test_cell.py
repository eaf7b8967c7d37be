"""The sum over paths against a definition by recursion; what edges have in common is computed once."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.nets.places import cell as places_cell
from surrogate_nas.nets.places.cell import Cell, SharedCell, run_cell
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.operations.table import OPERATIONS

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
    """Returns the value of a node from those before it; ``None`` where no data arrive."""
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


def by_edges(cell: SharedCell, space: CellSpace, code: list[int], x: Tensor) -> Tensor:
    """Returns the cell's value, every edge computed by itself."""
    operations: list[nn.Module | None] = []
    for row, choice in zip(cell.operations, code, strict=True):
        name = space.operations[choice]
        assert isinstance(row, nn.ModuleList)
        plain = build_operation(name, x.shape[1]) if name == "avg_pool_3x3" else row[choice]
        operations.append(None if OPERATIONS[name].is_zero else plain)
    return run_cell(space.edges, operations, x)


@pytest.mark.parametrize("mode", [NormMode.BATCH, NormMode.RECORD], ids=str)
@pytest.mark.parametrize("largest", [0, 2**30], ids=["apart", "merged"])
def test_every_architecture_computes_what_its_edges_do(
    space: CellSpace, mode: NormMode, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places_cell, "_LARGEST_MERGED", largest)
    torch.manual_seed(0)
    cell = SharedCell(space, 2).double()
    set_mode(cell, mode)
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    for code in space.all_codes()[::197].tolist():
        ours = x.clone(memory_format=torch.preserve_format).requires_grad_()
        theirs = ours.detach().clone().requires_grad_()
        y, expected = cell(ours, code), by_edges(cell, space, code, theirs)
        torch.testing.assert_close(y, expected, msg=f"architecture {code}")
        if expected.requires_grad:
            y.square().sum().backward()
            expected.square().sum().backward()  # type: ignore[no-untyped-call]
            torch.testing.assert_close(ours.grad, theirs.grad, msg=f"architecture {code}")


def test_one_convolution_runs_for_all_edges_of_a_node(space: CellSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []
    convolve = torch.nn.functional.conv2d

    def counted(x: Tensor, weight: Tensor, *others: object, **options: object) -> Tensor:
        widths.append(len(weight))
        return convolve(x, weight, *others, **options)  # type: ignore[no-any-return, call-overload]

    monkeypatch.setattr(torch.nn.functional, "conv2d", counted)
    cell = SharedCell(space, 4)
    cell(torch.randn(2, 4, 4, 4), space.parse("333333").tolist())
    # Three edges leave node 0, two node 1 and one node 2.
    assert widths == [12, 8, 4]


def test_a_cut_cell_gives_zeros(space: CellSpace) -> None:
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(SharedCell(space, 3)(x, [0] * 6), torch.zeros_like(x))


def test_cut_edges_cost_no_operation(space: CellSpace) -> None:
    cell = Cell(space.edges, ["none", "none", "none", "skip_connect", "none", "none"], 3, nn.BatchNorm2d)
    x = torch.randn(1, 3, 4, 4)
    assert cell(x) is x


def by_mixed_edges(cell: SharedCell, space: CellSpace, weights: Tensor, x: Tensor) -> Tensor:
    """Returns the value of the last node, with every operation of every edge run by itself."""
    nodes = {0: x}
    for (start, end), row, of_edge in zip(space.edges, cell.operations, weights, strict=True):
        assert isinstance(row, nn.ModuleList)
        value = sum(weight * operation(nodes[start]) for weight, operation in zip(of_edge, row, strict=True))
        assert isinstance(value, Tensor)
        nodes[end] = nodes[end] + value if end in nodes else value
    return nodes[max(nodes)]


@pytest.mark.parametrize("largest", [0, 2**30], ids=["apart", "merged"])
def test_a_mixture_is_the_weighted_sum_of_all_operations(
    space: CellSpace, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places_cell, "_LARGEST_MERGED", largest)
    torch.manual_seed(0)
    cell = SharedCell(space, 2).double()
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    weights = torch.rand(6, 5, dtype=torch.float64).requires_grad_()
    y, expected = cell.mixed(x, Mixture.of(list(weights))), by_mixed_edges(cell, space, weights, x)
    torch.testing.assert_close(y, expected)
    (ours,) = torch.autograd.grad(y.square().sum(), weights)
    (theirs,) = torch.autograd.grad(expected.square().sum(), weights)
    torch.testing.assert_close(ours, theirs)


def test_a_one_hot_mixture_is_the_architecture(space: CellSpace) -> None:
    torch.manual_seed(0)
    cell = SharedCell(space, 2).double()
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    for code in space.all_codes()[::1201].tolist():
        found = []
        for y in (cell(x, space.effective([code])[0].tolist()), cell.mixed(x, Mixture.one_hot(code, [5] * 6))):
            cell.zero_grad()
            if y.requires_grad:
                y.square().sum().backward()
            found.append((y, [each.grad for each in cell.parameters()]))
        torch.testing.assert_close(found[1], found[0], msg=f"architecture {code}")  # absent gradients are absent


def test_operations_of_weight_zero_are_not_run(space: CellSpace) -> None:
    cell = SharedCell(space, 2)
    ran: list[int] = []
    for row in cell.operations:
        assert isinstance(row, nn.ModuleList)
        for choice, operation in enumerate(row):
            operation.register_forward_hook(lambda *_, choice=choice: ran.append(choice))
    weights = torch.tensor([[0.5, 0.5, 0, 0, 0]] * 6)
    cell.mixed(torch.randn(2, 2, 4, 4), Mixture.of(list(weights)))
    assert set(ran) == {1}

"""What edges have in common is computed once, and makes no difference."""

import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.nets.cell import run_cell
from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.nets.places import cell as places_cell
from surrogate_nas.nets.places.cell import SharedCell
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.operations.table import OPERATIONS


def by_edges(cell: SharedCell, space: CellSpace, code: list[int], x: Tensor) -> Tensor:
    """The cell's value, every edge computed by itself."""
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

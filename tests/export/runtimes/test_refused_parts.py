"""The parts that a runtime refuses are named, where they are the reason."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.export.runtimes.protocol import Score, Source
from surrogate_nas.export.runtimes.refused_parts import refused_parts


class Roll(nn.Module):
    """An operation of a user."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.roll(x, 1, dims=3)


class Block(nn.Module):
    """A block whose parts stand in a list, and one of which is called with two tensors."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts, self.both = nn.ModuleList(parts), nn.Bilinear(6, 6, 6)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        found: Tensor = self.both(x, x)
        return found


class Picky:
    """A runtime that refuses networks with some modules, and keeps the precisions that it was asked for."""

    def __init__(self, refuses: Callable[[nn.Module], bool]) -> None:
        self._refuses = refuses
        self.asked: list[str] = []

    def write(self, files: Sequence[Path], source: Source, precision: str) -> None:
        self.asked.append(precision)
        if any(self._refuses(part) for part in source.network_of(precision).modules()):
            raise RuntimeError("no kernel")
        with torch.no_grad():
            source.network_of(precision)(source.calibration)
        files[0].write_bytes(b"file")

    def open(self, file: Path, batch: int, threads: int) -> Score:
        raise NotImplementedError


def source_of(*layers: nn.Module) -> Source:
    return Source(nn.Sequential(*layers).eval(), {}, torch.rand(4, 3, 6, 6), {}, 1)


NETWORK = (nn.Conv2d(3, 4, 1), Block(nn.ReLU(), Roll()), nn.Hardswish(), Block(Roll(), nn.Sigmoid()))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float", pytest.param("int8", marks=pytest.mark.slow)])
def test_each_refused_part_is_named_once_with_its_first_layer(precision: str) -> None:
    picky = Picky(lambda part: isinstance(part, Roll | nn.Hardswish))
    found = refused_parts(picky, ("a.bin", "b.bin"), source_of(*NETWORK), precision)
    assert found == ["Roll in layer 2", "Hardswish in layer 3"]
    assert set(picky.asked) == {precision}


@pytest.mark.slow
def test_a_block_is_named_where_its_parts_alone_are_taken() -> None:
    picky = Picky(lambda part: isinstance(part, Block))
    assert refused_parts(picky, ("a",), source_of(*NETWORK), "float") == ["Block in layer 2"]


@pytest.mark.slow
def test_parts_that_take_no_maps_are_not_tried() -> None:
    layers = (Roll(), nn.Flatten(), nn.Linear(108, 2))
    picky = Picky(lambda part: isinstance(part, Roll | nn.Linear))
    assert refused_parts(picky, ("a",), source_of(*layers), "float") == ["Roll in layer 1"]


@pytest.mark.slow
@pytest.mark.parametrize("refuses", [True, False])
def test_nothing_is_named_where_the_parts_are_not_the_reason(refuses: bool) -> None:
    assert refused_parts(Picky(lambda _: refuses), ("a",), source_of(*NETWORK), "float") == []

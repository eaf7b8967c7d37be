"""Cuts are found for planted partitions and survive a file; foreign and damaged files are refused."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import RunFolderError, SettingsError, StoreError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.splits.boxes import BoxSplit, whole_box
from surrogate_nas.supernet.splits.gradient_cuts import Cut, _bipartitions, best_cut, boxes_after, read_cut, write_cut


def planted(parts: tuple[tuple[int, ...], ...], apart: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns distances near 0.1 inside the parts, and near 0.1 + apart between them."""
    count = sum(map(len, parts))
    of = {choice: position for position, part in enumerate(parts) for choice in part}
    noise = np.triu(rng.random((count, count)) * 0.05, 1)
    table = np.array([[0.1 + apart * (of[i] != of[j]) for j in range(count)] for i in range(count)]) + noise + noise.T
    np.fill_diagonal(table, 0.0)
    return table


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 4), decision=st.integers(0, 5))
def test_a_planted_partition_is_found(space: CellSpace, seed: int, size: int, decision: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(5).tolist()
    parts = tuple(sorted(order[:size])), tuple(sorted(order[size:]))
    distances = {edge: planted(parts, 0.5 if edge == decision else 0.0, rng) for edge in range(6)}
    cut = best_cut(space, whole_box(space), distances, 0)
    assert cut.decision == decision
    assert set(cut.parts) == set(parts)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_is_the_best_of_all(space: CellSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = {}
    for edge in range(6):
        table = np.triu(rng.random((5, 5)), 1)
        distances[edge] = table + table.T
    cut = best_cut(space, whole_box(space), distances, 0)

    def across(edge: int, side: tuple[int, ...]) -> float:
        return sum(float(distances[edge][i, j]) for i in side for j in range(5) if j not in side)

    every = [
        across(edge, side) for edge in range(6) for size in (1, 2) for side in itertools.combinations(range(5), size)
    ]
    assert across(cut.decision, cut.parts[0]) == pytest.approx(max(every))


def test_many_choices_are_parted_quickly() -> None:
    rng, count = np.random.default_rng(0), 20
    parts = (tuple(range(0, count, 2)), tuple(range(1, count, 2)))
    table = np.where(np.add.outer(np.arange(count), np.arange(count)) % 2, 1.0, 0.1) + 0.01 * rng.random((count, count))
    table = np.triu(table, 1)
    first, inside = _bipartitions(table + table.T)
    assert len(first) == len(np.unique(first, axis=0)) == 2**19 - 1
    assert first[:, 0].all()
    assert not first.all(axis=1).any()
    best = int(inside.argmin())
    assert tuple(np.flatnonzero(first[best]).tolist()) == parts[0]
    expected = sum(float(table[np.ix_(part, part)].sum()) for part in parts)
    assert inside[best] == pytest.approx(expected)


def test_halves_have_something_to_draw() -> None:
    chain = CellSpace(
        Identity("chain", "1" * 16), ((0, 1), (1, 2)), ("none", "nor_conv_1x1", "nor_conv_3x3"), NetworkSpec(1, 1, 4)
    )
    far = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.1], [1.0, 0.1, 0.0]])
    cut = best_cut(chain, whole_box(chain), {0: far}, 0)
    assert cut.parts != ((0,), (1, 2))  # nothing leads through none
    with pytest.raises(SettingsError, match=re.escape("no decision of chain can be cut in two halves with 4 arch")):
        best_cut(chain, whole_box(chain), {0: far}, 2)


def test_boxes_follow_from_cuts_level_by_level(space: CellSpace) -> None:
    cuts = [Cut(0, ((0, 1, 4), (2, 3))), Cut(1, ((0,), (1, 2, 3, 4))), Cut(5, ((0, 2), (1, 3, 4)))]
    every = (0, 1, 2, 3, 4)
    assert boxes_after(space, cuts, 0) == (whole_box(space),)
    assert boxes_after(space, cuts, 1) == (((0, 1, 4), *[every] * 5), ((2, 3), *[every] * 5))
    boxes = boxes_after(space, cuts, 2)
    assert boxes[1] == ((0, 1, 4), (1, 2, 3, 4), *[every] * 4)
    assert boxes[2] == ((2, 3), *[every] * 4, (0, 2))
    assert BoxSplit(space, boxes).groups == 4


CUT = Cut(2, ((0, 4), (1, 2, 3)))
IDENTITY = {"space": "s", "member": "parent"}


@pytest.fixture
def path(space: CellSpace, tmp_path: Path) -> Path:
    file = tmp_path / "parent.json"
    write_cut(file, space, CUT, {2: np.full((5, 5), 0.5)}, IDENTITY)
    return file


def test_a_cut_is_read_as_it_was_written(space: CellSpace, path: Path) -> None:
    assert read_cut(path, space, whole_box(space), IDENTITY) == CUT
    content = json.loads(path.read_text())
    assert content["decision"] == "2<-1"
    assert content["choices"] == [["none", "avg_pool_3x3"], ["skip_connect", "nor_conv_1x1", "nor_conv_3x3"]]
    assert content["distances"] == {"2<-1": [[0.5] * 5] * 5}


def test_a_cut_of_something_else_is_named(space: CellSpace, path: Path) -> None:
    with pytest.raises(RunFolderError, match=re.escape(f"{path} was made with member = parent, not parent-0")):
        read_cut(path, space, whole_box(space), IDENTITY | {"member": "parent-0"})


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "9<-1"},
        {"choices": [["none"], ["skip_connect"]]},
        {"choices": [[], ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]]},
        {"choices": [["none"], ["sep_conv"]]},
        {"choices": [["none"]]},
        {"distances": {}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_cut_is_refused(space: CellSpace, path: Path, change: dict[str, Any]) -> None:
    write_json(path, json.loads(path.read_text()) | change)
    with pytest.raises(StoreError, match=re.escape(f"the split of a supernet in {path} is damaged")):
        read_cut(path, space, whole_box(space), IDENTITY)


def test_a_cut_of_another_subspace_is_refused(space: CellSpace, path: Path) -> None:
    box = whole_box(space)
    with pytest.raises(StoreError, match="does not part the choices of a decision in two"):
        read_cut(path, space, (*box[:2], (0, 1), *box[3:]), IDENTITY)


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_other_content_is_refused(space: CellSpace, path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(StoreError, match=re.escape(str(path))):
        read_cut(path, space, whole_box(space), IDENTITY)

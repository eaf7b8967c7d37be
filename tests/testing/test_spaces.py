"""Every space passes the conformance kit, and the kit finds planted faults."""

from pathlib import Path

import pytest

from surrogate_nas._support.definitions import available
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.testing import networks, spaces
from surrogate_nas.testing.spaces import CHECKS, Check, check_space, live_operations
from tests.space.programs import CELL, CHAIN, NODES, write_space
from tests.testing import broken

OF_CHECKS = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
# A list of its 1.3 million codes takes long; two smaller ones are of the same kind.
SHIPPED = [name for name in available("spaces") if name != "nasbench1shot1_3"]


@pytest.mark.quick_cases(60)
@pytest.mark.parametrize("name", [*SHIPPED, pytest.param("nasbench1shot1_3", marks=pytest.mark.slow)])
@OF_CHECKS
def test_a_space_that_comes_with_the_project_conforms(name: str, check: Check) -> None:
    check(load_space(name))


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("definition", [CELL, NODES, CHAIN], ids=["cell", "nodes", "chain"])
def test_a_space_with_operations_of_a_user_conforms(tmp_path: Path, definition: str) -> None:
    space = load_space(write_space(tmp_path, definition))
    for check in CHECKS:
        if check is not networks.check_pickling:  # it takes another process long to import torch; ``test_program`` does
            check(space)


def test_the_cell_that_faults_are_planted_in_conforms() -> None:
    check_space(broken.cell(broken.Sound))


@pytest.mark.parametrize(
    ("kind", "check", "rule"),
    [
        (broken.AcceptsAnything, spaces.check_refusals, "a code that is too short is refused"),
        (broken.ForgetsInText, spaces.check_text, "is read as the code"),
        (broken.ListsBackwards, spaces.check_listing, "index finds the positions of codes_at"),
        (broken.DrawsUnevenly, spaces.check_draws, "draws are uniform"),
        (broken.KeepsNoCount, spaces.check_effective, "a code and its effective code have the same"),
        (broken.TakesAllForOne, spaces.check_classes, "architectures of one key have the same parameters"),
        (broken.TellsCopiesApart, spaces.check_effective, "a code and its effective code have the same key"),
        (broken.CountsTheCut, spaces.check_populations, "draws of a count are connected"),
        (broken.DrawsOneOfACount, spaces.check_populations, "draws with . nonlinear functions are uniform"),
        (broken.ForgetsALayer, spaces.check_layer_counts, "3 layers have as many counts .got 2."),
        (broken.GuessesItsRange, spaces.check_parameter_range, "parameters are "),
        (broken.DrawsDeadOperations, networks.check_graphs, "connected: a path leads to the output"),
        (broken.NamesNothing, networks.check_graphs, "every type has a name"),
        (broken.SkipsALayer, networks.check_layouts, "layer 2, cell, .* takes what the one before gives"),
        (broken.WeighsByTheImage, networks.check_costs, "parameters do not depend on the image"),
        (broken.StaysHere, networks.check_pickling, "a space can be sent to another process"),
    ],
)
def test_a_planted_fault_is_found(kind: type[CellSpace], check: Check, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check(broken.cell(kind))


def test_a_fingerprint_that_is_none_is_found() -> None:
    with pytest.raises(AssertionError, match="a fingerprint has 16 hexadecimal digits"):
        spaces.check_decisions(broken.cell(CellSpace, fingerprint="any"))


def test_every_check_is_in_the_list() -> None:
    known = {name for kit in (spaces, networks) for name in vars(kit) if name.startswith("check_")} - {"check_space"}
    assert {check.__name__ for check in CHECKS} == known


def test_operations_on_no_path_are_not_counted() -> None:
    space = broken.cell(CellSpace)
    # Edges 1<-0, 2<-0, 2<-1, 3<-1, 3<-2.
    assert live_operations(space, [[2, 3, 0, 0, 1], [2, 0, 0, 1, 1], [0, 0, 0, 0, 0]]).tolist() == [2, 2, 0]

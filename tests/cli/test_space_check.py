"""Looking a space over."""

import re

import pytest
from torch import Tensor, nn

from surrogate_nas.cli import space_check
from surrogate_nas.cli.space_check import check_space
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space


@pytest.mark.parametrize("name", ["quick", "nasbench201"])
def test_a_space_that_can_be_listed_is_looked_at_as_a_whole(name: str) -> None:
    space = load_space(name)
    found = check_space(space)
    codes = space.all_codes()
    sizes = space.parameters(space.effective(codes), space.network)[space.is_connected(codes)]
    assert (found.size, found.exact) == (space.size, True)
    assert found.parameters == (sizes.min(), sizes.max())
    assert sum(found.populations.values()) == space.is_connected(codes).sum()
    assert len(found.ran) >= 5
    assert space.digits([found.drawn])[0] == found.ran[-1]


@pytest.mark.parametrize("name", ["nasbench201", "mobilenet_se", "darts"])
def test_every_operation_is_in_a_network_that_ran(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space, ran = load_space(name), []
    monkeypatch.setattr(space_check, "_run", lambda space, code: ran.append(space.digits([code])[0]))
    check_space(space)
    codes = [space.parse(one) for one in ran]
    used = {one.choices[place] for code in codes for one, place in zip(space.decisions, code, strict=True)}
    assert used == {name for decision in space.decisions for name in decision.choices}


def test_of_others_some_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_check, "_run", lambda *_: None)
    space = load_space("fbnet")
    assert isinstance(space, ChainSpace)
    found = check_space(space)
    assert not found.exact
    assert found.size == sum(found.populations.values()) == 9**22
    assert found.parameters[0] < found.parameters[1]
    tables = space.block_tables(space.network, lambda block, layer: block.flops(layer.shape))
    fixed = space.flops([[0] * 22], space.network)[0] - sum(table[0] for table in tables)
    assert found.flops == tuple(fixed + sum(int(end(table)) for table in tables) for end in (min, max))


class Broken(nn.Module):
    def forward(self, _x: Tensor) -> Tensor:
        raise RuntimeError("sizes differ")


class InTraining(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.new_full((len(x), 10), float("nan") if self.training else 1.0)


class NotANumber(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.new_full((len(x), 10), float("nan"))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (NotANumber(), "gives scores that are NaN or infinite; correct the operation"),
        (InTraining(), "that are NaN or infinite in training mode; correct the operation"),
        (Broken(), "does not run: sizes differ"),
        (nn.Identity(), "gives scores of shape (1, 3, 8"),
    ],
)
def test_a_network_that_does_not_run_is_named(
    network: nn.Module, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_check, "build_network", lambda *_: network)
    with pytest.raises(SpaceError, match=re.escape(message)):
        check_space(load_space("quick"))


@pytest.mark.parametrize("count", ["parameters", "flops"])
def test_counts_that_are_not_those_of_the_network_are_told(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("quick")
    counted = getattr(space, count)
    monkeypatch.setattr(space, count, lambda codes, network: counted(codes, network) - 7)
    what = {"parameters": "parameters", "flops": "multiply-accumulates"}[count]
    with pytest.raises(SpaceError, match=re.escape(f"{what}, +7 against the counted number")):
        check_space(space)

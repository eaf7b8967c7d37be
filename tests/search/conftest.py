"""A tiny predictor and cost model for tests of the search; a process that is to be killed loads this file by path."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class FakeScores:
    mean: NDArray[np.float64]
    std: NDArray[np.float64]


@dataclass
class FakeScorer:
    """Scores canonical architectures by a fixed nonlinear function, and counts how it is called."""

    space: Space
    canonical: bool = True
    calls: list[int] = field(default_factory=list)

    def predict(self, codes: Codes) -> FakeScores:
        self.calls.append(len(codes))
        values = (self.space.canonical(codes) if self.canonical else codes).astype(np.float64)
        rng = np.random.default_rng(5)
        hidden = np.tanh(values @ rng.normal(size=(values.shape[1], 16)) / 3)
        mean = 80 + 5 * hidden @ rng.normal(size=16)
        return FakeScores(mean, 0.1 + np.abs(hidden[:, 0]))


@dataclass
class FakeCosts:
    """A latency that differs between isomorphic codes, and the parameters of the deployed network."""

    space: Space
    names: tuple[str, ...] = ("latency_ms", "params")

    def evaluate(self, codes: Codes) -> Mapping[str, NDArray[Any]]:
        jitter = np.array([zlib.crc32(row.tobytes()) % 1000 for row in codes]) / 2000
        latency = 1.0 + codes.astype(np.float64) @ np.arange(1, codes.shape[1] + 1) / 10 + jitter
        return {"latency_ms": latency, "params": self.space.parameters(codes, self.space.network)}


@pytest.fixture(scope="session")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture
def calls() -> list[int]:
    """Returns the number of codes in each call of the predictor."""
    return []


@pytest.fixture
def predictor(space: Space, calls: list[int]) -> FakeScorer:
    return FakeScorer(space, calls=calls)


@pytest.fixture
def raw_scorer(space: Space) -> FakeScorer:
    """Returns a predictor that distinguishes isomorphic codes."""
    return FakeScorer(space, canonical=False)


@pytest.fixture(scope="session")
def costs(space: Space) -> FakeCosts:
    return FakeCosts(space)


@pytest.fixture
def evaluator(space: Space, predictor: FakeScorer, costs: FakeCosts) -> Evaluator:
    return Evaluator(space, predictor, costs, [Budget("latency_ms", 4.0), Budget("params", 6e5)])


@pytest.fixture(scope="session")
def large() -> Evaluator:
    """Returns an evaluator of a cell of five nodes: 9,765,625 architectures, too many to enumerate."""
    edges = [(start, end) for end in range(1, 5) for start in range(end)]
    small = load_space("nasbench201")
    assert isinstance(small, CellSpace)
    space = CellSpace(Identity("five_nodes", "0" * 16), edges, small.operations, small.network)
    assert not space.listable
    return Evaluator(space, FakeScorer(space), FakeCosts(space), [Budget("latency_ms", 9.0)])

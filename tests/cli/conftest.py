"""Fixtures of the packages whose command lines are tested."""

import pytest

from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from tests.lookup.conftest import table as table


@pytest.fixture(scope="session")
def space() -> Space:
    return load_space("nasbench201")

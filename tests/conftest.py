"""Fixtures that every test may use."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas.space.operations.registry import forget_all
from tests.fixtures.quick_cases import slow_cases

pytest_plugins = [
    "tests.fixtures.one_process",
    "tests.fixtures.tiny_study",
    "tests.fixtures.finished_run",
    "tests.fixtures.bright_model",
    "tests.fixtures.postgresql",
    "tests.fixtures.ray_cluster",
]

# Dozens of tests start processes, each of which would compile all that it imports where no bytecode may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A final training takes every processor otherwise, and tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"

# Time limits per example say more about how busy the machine is than about the code.
settings.register_profile("quick", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None)
settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what this machine cannot do, and leaves most cases of some tests to the slow ones."""
    for item in slow_cases(items):
        item.add_marker(pytest.mark.slow)
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
        if os.name == "nt" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="needs signals, links or permissions of POSIX"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread_from_the_start() -> None:
    """As studies have it: sums depend on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Restores the number of threads after a test that changed it."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Returns the folder of public ground truth next to the checkout; tests that need it are skipped without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the data folder {SHARED_DATA.parent.name}/{SHARED_DATA.name} next to the checkout")
    return SHARED_DATA


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yields a machine where no program of a space was run before, in this process neither."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    forget_all()
    yield folder
    forget_all()

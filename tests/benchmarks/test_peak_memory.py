"""Memory of a process, where the system reports it."""

import math
import sys

import numpy as np
import pytest

from benchmarks.peak_memory import peak_memory_mb


def test_a_large_array_is_in_the_peak() -> None:
    pytest.importorskip("resource")
    before = peak_memory_mb()
    held = np.ones(25_000_000)
    after = peak_memory_mb()
    assert held.nbytes / 1e6 == 200
    assert 50 < after < 64_000  # MB, not KB and not bytes
    assert after >= before


def test_a_system_that_does_not_tell_it_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert math.isnan(peak_memory_mb())

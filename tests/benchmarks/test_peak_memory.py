"""Memory of a process, where the system reports it."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peak_memory import peak_memory_mb

REPOSITORY = Path(__file__).resolve().parents[2]


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


@pytest.mark.posix
def test_an_allocation_beyond_the_limit_fails() -> None:
    lines = "from benchmarks.peak_memory import limit_memory; limit_memory(2**28); bytearray(2**27); bytearray(2**29)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("MemoryError")

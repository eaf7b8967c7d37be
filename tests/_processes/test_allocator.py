"""Freed memory stays in the process."""

import platform
import subprocess
import sys

import pytest

# Frees and takes a block of 8 MB again and again, and counts the pages that the system had to bring.
COUNT = """
import resource, sys
import numpy as np
from surrogate_nas._processes.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def touch(times):
    for _ in range(times):
        # Two blocks: the C library would not give the last one of the heap back before another threshold.
        np.ones(2**20), np.ones(2**19)
touch(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
touch(50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_blocks_are_used_again() -> None:
    assert page_faults("kept") < 1000
    assert page_faults("default") >= page_faults("kept")

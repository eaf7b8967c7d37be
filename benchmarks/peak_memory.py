"""The most memory that this process ever held, and may ever hold."""

import math
import os
import sys
from pathlib import Path


def peak_memory_mb() -> float:
    """Returns the peak of resident memory so far, in megabytes; NaN on Windows, where Python has no way to ask."""
    try:
        import resource
    except ImportError:
        return math.nan
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux KiB.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def limit_memory(more_bytes: int) -> None:
    """Lets allocations fail that take the address space beyond the present one and so many bytes; only on Linux."""
    import resource

    held = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (held + more_bytes, held + more_bytes))

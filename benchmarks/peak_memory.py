"""The most memory that this process ever held."""

import math
import sys


def peak_memory_mb() -> float:
    """Returns the peak of resident memory so far, in megabytes; NaN on Windows, where Python has no way to ask."""
    try:
        import resource
    except ImportError:
        return math.nan
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux KiB.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6

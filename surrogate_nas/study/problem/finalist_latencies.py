"""The file of a run folder that keeps latencies of whole networks, which decide which of them are searched or trained.

A run that is continued makes the same choices, whatever the machine's own cache of measurements has by then.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError
from surrogate_nas.hardware.measurement import Measurement

_WHAT = "latencies of finalists"
_REMEDY = "remove the file, and they are measured again"


@dataclass(frozen=True)
class FinalistLatencies:
    """Latencies of whole networks.

    Attributes:
        found: Measurements by the digits of effective codes.
        twice: Digits of the ones that were measured twice, so that the larger latency is kept.
    """

    found: Mapping[str, Measurement] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()


def read_finalist_latencies(path: Path, inputs: str) -> FinalistLatencies:
    """Returns measurements; none where there is no file, or it is of other costs.

    Args:
        path: The file.
        inputs: Hash of everything that latencies depend on.

    Raises:
        StoreError: If the file is damaged.
    """
    if not path.exists():
        return FinalistLatencies()
    content = read_json(path, _WHAT, _REMEDY)
    try:
        found = {str(code): Measurement.from_json(one) for code, one in content["latencies"].items()}
        # Files of version 0.1.0 do not say which were measured twice.
        twice = content.get("twice", [])
        if not isinstance(twice, list):
            raise ValueError("twice must be a list")
        known = FinalistLatencies(found, frozenset(map(str, twice)))
        return known if content.get("inputs") == inputs else FinalistLatencies()
    except (AttributeError, KeyError, ValueError) as error:
        raise StoreError(f"the {_WHAT} in {path} are damaged: {error!s:.100}; {_REMEDY}") from None


def write_finalist_latencies(path: Path, inputs: str, latencies: FinalistLatencies) -> None:
    """Writes measurements by the digits of effective codes."""
    content = {code: asdict(one) for code, one in sorted(latencies.found.items())}
    write_json(path, {"schema_version": 1, "inputs": inputs, "latencies": content, "twice": sorted(latencies.twice)})

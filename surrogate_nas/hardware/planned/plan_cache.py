"""Keeps plans on this machine, so that a study that is repeated or continued plans nothing twice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from surrogate_nas.hardware.planned.planners import Plan
from surrogate_nas.hardware.result_cache import Kind, ResultCache

SCHEMA = 2
"""Raised with the layout of the file, with how a file for a device is made, and with how a network is computed."""


class PlanCache(ResultCache[Plan]):
    """Plans of one identity, by the digits of effective codes: planner, versions, space and network.

    Args:
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a plan depends on, as JSON takes it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        super().__init__(Kind("plans", "plan", "plan", SCHEMA, list, _plan), folder, identity)


def _plan(numbers: object) -> Plan:
    if (
        not isinstance(numbers, list)
        or len(numbers) != 2
        or not all(type(one) is int for one in numbers)
        or numbers[0] < 0
        or numbers[1] < 1
    ):
        raise ValueError(f"a plan is two whole numbers, of RAM and of flash (got {numbers!r:.60})")
    return Plan(*numbers)

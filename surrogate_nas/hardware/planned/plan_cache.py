"""Keeps plans on this machine, so that a study that is repeated or continued plans nothing twice."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError, SurrogateNasWarning
from surrogate_nas.hardware.planned.planners import Plan

SCHEMA = 1
"""Raised with the layout of the file, with how a file for a device is made, and with how a network is computed."""

_LOCK_SECONDS = 10.0


class PlanCache:
    """Plans of one identity: planner, versions, space and network. Several processes may use one cache.

    Args:
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a plan depends on, as JSON takes it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)
        text = json.dumps([SCHEMA, self.identity], sort_keys=True)
        self.path = folder / f"plan-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def read(self) -> dict[str, Plan]:
        """Returns every plan kept so far, by the digits of effective codes; a damaged file counts as missing.

        Warns:
            SurrogateNasWarning: If the file is damaged.
        """
        try:
            if not self.path.exists():
                return {}
            content = read_json(self.path, "cache of plans", "remove it to plan again", SCHEMA)
            if content.get("identity") != self.identity or not isinstance(content.get("plans"), dict):
                raise ValueError("it belongs to another setting, or has no plans")
            return {str(digits): _plan(numbers) for digits, numbers in content["plans"].items()}
        except (OSError, StoreError, ValueError) as error:
            _warn(f"the cache of plans {self.path} cannot be used and is made again: {error}")
            return {}

    def add(self, new: Mapping[str, Plan]) -> None:
        """Keeps plans by the digits of effective codes.

        Warns:
            SurrogateNasWarning: If the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                plans = {digits: list(plan) for digits, plan in sorted({**self.read(), **new}.items())}
                write_json(self.path, {"schema": SCHEMA, "identity": self.identity, "plans": plans})
        except (OSError, Timeout) as error:
            _warn(
                f"plans cannot be kept in {self.path.parent}, so the next run will plan again: {error};"
                f" set {FOLDER_VARIABLE} to a folder that can be written to"
            )


def _plan(numbers: object) -> Plan:
    if not isinstance(numbers, list) or len(numbers) != 2 or not all(type(one) is int and one > 0 for one in numbers):
        raise ValueError(f"a plan is two whole numbers above zero (got {numbers!r:.60})")
    return Plan(*numbers)


def _warn(message: str) -> None:
    warnings.warn(message, SurrogateNasWarning, stacklevel=4)

"""Keeps measurements on this machine, so that a repeated study sees equal costs and measures nothing twice.

A machine's latencies differ a little from one run to the next, and a search that sees other costs finds other
architectures. So later runs of the same setting see the first measurement.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError, SurrogateNasWarning
from surrogate_nas.hardware.measurement import Measurement

SCHEMA = 2
"""Raised with the layout of the file, with how a latency is measured, and with how a network is computed."""

_LOCK_SECONDS = 10.0

Kept = dict[str, Measurement]
"""Measurements by candidate."""


class MeasurementCache:
    """Measurements of one identity: processor, versions, settings, space and network.

    Several processes may use one cache: all of them get the first measurement of a candidate.

    Args:
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a latency depends on, as JSON takes it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)
        text = json.dumps([SCHEMA, self.identity], sort_keys=True)
        self.path = folder / f"latency-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def read(self) -> dict[str, Measurement]:
        """Returns every measurement kept so far, by candidate; a damaged file counts as missing, with a warning."""
        try:
            if not self.path.exists():
                return {}
            content = read_json(self.path, "cache of measurements", "remove it to measure again", SCHEMA)
            entries = content.get("measurements")
            if not isinstance(entries, dict):
                raise ValueError("it has no measurements")
            if content.get("identity") != self.identity:
                raise ValueError("it belongs to another machine or setting")
            return {key: Measurement.from_json(entry) for key, entry in entries.items()}
        except (OSError, StoreError, ValueError) as error:
            _warn(f"the cache of measurements {self.path} cannot be used and is made again: {error}")
            return {}

    def add(self, new: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """Keeps measurements, unless another process has kept one of the same candidate in the meantime.

        Args:
            new: Measurements by candidate.

        Returns:
            The measurements now kept for the same candidates, which the caller should use.
        """
        return self._update(lambda kept: {**new, **kept}, dict(new))

    def replace(self, new: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """Keeps measurements in the place of older ones of the same candidates, and returns what is kept.

        A noisy measurement does not replace a calm one: a busy machine would spoil what an idle one has measured.
        """

        def merge(kept: Kept) -> Kept:
            spoilt = {name for name, one in new.items() if one.noisy and name in kept and not kept[name].noisy}
            return {**kept, **{name: one for name, one in new.items() if name not in spoilt}}

        return self._update(merge, dict(new))

    def _update(self, merge: Callable[[Kept], Kept], new: Kept) -> Kept:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                merged = merge(self.read())
                entries = {key: asdict(measurement) for key, measurement in sorted(merged.items())}
                write_json(self.path, {"schema": SCHEMA, "identity": self.identity, "measurements": entries})
        except (OSError, Timeout) as error:
            _warn(
                f"measurements cannot be kept in {self.path.parent}, so the next run will measure again: {error};"
                f" set {FOLDER_VARIABLE} to a folder that can be written to"
            )
            return new
        return {key: merged[key] for key in new}


def _warn(message: str) -> None:
    warnings.warn(message, SurrogateNasWarning, stacklevel=4)

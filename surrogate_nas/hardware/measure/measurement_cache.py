"""Keeps measurements on this machine, so that a repeated study sees equal costs and measures nothing twice.

A machine's latencies differ a little from one run to the next, and a search that sees other costs finds other
architectures. So later runs of the same setting see the first measurement.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.result_cache import Kind, ResultCache

SCHEMA = 2
"""Raised with the layout of the file, with how a latency is measured, and with how a network is computed."""

_KIND = Kind("measurements", "measure", "latency", SCHEMA, asdict, Measurement.from_json)

Kept = dict[str, Measurement]
"""Measurements by candidate."""


class MeasurementCache(ResultCache[Measurement]):
    """Measurements of one identity, by candidate: processor, versions, settings, space and network.

    All processes get the first measurement of a candidate.

    Args:
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a latency depends on, as JSON takes it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        super().__init__(_KIND, folder, identity)

    def replace(self, new: Mapping[str, Measurement]) -> Kept:
        """Keeps measurements in the place of older ones of the same candidates, and returns what is kept.

        A noisy measurement does not replace a calm one: a busy machine would spoil what an idle one has measured.
        """

        def merge(kept: Kept) -> Kept:
            spoilt = {name for name, one in new.items() if one.noisy and name in kept and not kept[name].noisy}
            return {**kept, **{name: one for name, one in new.items() if name not in spoilt}}

        return self.update(new, merge)

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


REFERENCE = "reference"
"""The candidate that latencies are ratios to, in milliseconds of the time when it was measured."""


class MeasurementCache(ResultCache[Measurement]):
    """Measurements of one identity, by candidate: processor, versions, settings, space and network.

    All processes get the first measurement of a candidate. All of them are in milliseconds of one measurement of the
    reference, where it is among them: another one of it scales what was measured with the former one.

    Args:
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a latency depends on, as JSON takes it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        super().__init__(_KIND, folder, identity)

    def add(self, new: Mapping[str, Measurement]) -> Kept:
        """Keeps measurements, unless another process has kept one of the same candidate in the meantime.

        A calm reference replaces a noisy one.
        """

        def merge(kept: Kept) -> Kept:
            begun, added = _of_one_reference(kept, new, prefer_new=False)
            return {**added, **begun}

        return self.update(new, merge)

    def replace(self, new: Mapping[str, Measurement]) -> Kept:
        """Keeps measurements in the place of older ones of the same candidates, and returns what is kept.

        A noisy measurement does not replace a calm one: a busy machine would spoil what an idle one has measured.
        """

        def merge(kept: Kept) -> Kept:
            begun, added = _of_one_reference(kept, new, prefer_new=True)
            spoilt = {name for name, one in added.items() if one.noisy and name in begun and not begun[name].noisy}
            return {**begun, **{name: one for name, one in added.items() if name not in spoilt}}

        return self.update(new, merge)


def _of_one_reference(kept: Kept, new: Mapping[str, Measurement], prefer_new: bool) -> tuple[Kept, Kept]:
    """Returns both sides in milliseconds of the same measurement of the reference, which is in both."""
    if REFERENCE not in kept or REFERENCE not in new:
        return dict(kept), dict(new)
    before, now = kept[REFERENCE], new[REFERENCE]
    counts = now if (prefer_new if before.noisy == now.noisy else before.noisy) else before
    sides = [
        {name: one.scaled(counts.median_ms / reference.median_ms) for name, one in side.items()} | {REFERENCE: counts}
        for side, reference in ((kept, before), (new, now))
    ]
    return sides[0], sides[1]

"""The file of a run folder that keeps fitted rivals, trained networks and comparisons: ``rivals.json``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.fit import FittedRival

Verdict = Literal["space", "rival", "undecided"]


@dataclass(frozen=True)
class TrainedRecord:
    """A trained network.

    Attributes:
        accuracy_percent: Accuracy on the validation images; None where the training failed.
        low: Lower end of its 95% interval.
        high: Upper end.
        reason: Why the training failed; empty otherwise.
    """

    accuracy_percent: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """The found architecture against the best trained rival at one set of budgets.

    Attributes:
        budgets: Bounds by cost.
        found: Code of the architecture.
        found_percent: Its accuracy after the training.
        rival: The rival in words.
        rival_percent: Its accuracy after the same training.
        better: Which one is; undecided where the 95% intervals overlap.
    """

    budgets: Mapping[str, float]
    found: str
    found_percent: float
    rival: str
    rival_percent: float
    better: Verdict


@dataclass(frozen=True)
class RivalRecords:
    """Everything that a run knows about rivals.

    Attributes:
        inputs: Hash of what rivals were fitted to.
        fitted: The rivals.
        beside: Latency of the found architecture, measured in turns with the rivals; None where nothing was measured.
        trained: Trained networks: rivals by ``RivalNetwork.key``, architectures by code.
        comparisons: One for each set of budgets that the run was asked for.
    """

    inputs: str = ""
    fitted: tuple[FittedRival, ...] = ()
    beside: Measurement | None = None
    trained: Mapping[str, TrainedRecord] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()

    def with_trained(self, key: str, record: TrainedRecord) -> "RivalRecords":
        """Returns the records with one more trained network."""
        return replace(self, trained={**self.trained, key: record})

    def with_comparison(self, one: Comparison) -> "RivalRecords":
        """Returns the records with a comparison in the place of an earlier one at the same budgets."""
        if one in self.comparisons:
            return self
        others = [known for known in self.comparisons if known.budgets != one.budgets]
        return replace(self, comparisons=(*others, one))


def verdict(found: TrainedRecord, rival: TrainedRecord) -> Verdict:
    """Returns which of two trained networks is better; undecided where their 95% intervals overlap."""
    if found.low is None or found.high is None or rival.low is None or rival.high is None:
        return "undecided"
    if found.low > rival.high:
        return "space"
    return "rival" if rival.low > found.high else "undecided"


_ADAPTER = TypeAdapter(RivalRecords)


def read_rivals(path: Path) -> RivalRecords:
    """Returns the records of a file; empty ones where there is none.

    Raises:
        StoreError: If it is damaged.
    """
    if not path.exists():
        return RivalRecords()
    remedy = "remove the file: rivals are then compared again"
    try:
        content: dict[str, Any] = read_json(path, "rivals of the run", remedy)
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"the rivals of the run are damaged: {path}: {where}: {first['msg']}; {remedy}") from None


def write_rivals(path: Path, records: RivalRecords) -> None:
    """Writes the records in one piece."""
    write_json(path, {"schema_version": 1, **asdict(records)})

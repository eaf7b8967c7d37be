"""Facts to and from the JSON of ``report.json``."""

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from surrogate_nas._support.files import read_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import StoreError
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.architectures import CellFacts, GraphFacts, SmallestCost
from surrogate_nas.report.facts.making import DataFacts
from surrogate_nas.report.facts.whole import SCHEMA_VERSION, StudyFacts

_REMEDY = "continue the study with --resume to write it again"
_MOST_NODES = 1000  # of a cell that is drawn: more is damage
_ADAPTER = TypeAdapter(StudyFacts)


def facts_to_json(facts: StudyFacts) -> dict[str, Any]:
    """Returns the facts as JSON would hold them; NaN and infinity, which JSON does not have, become null."""
    content = _plain(facts)
    # The version leads, so that a reader of the file meets it first.
    return {"schema_version": content.pop("schema_version"), **content}


def facts_from_json(content: dict[str, Any], where: str = "report.json") -> StudyFacts:
    """Facts from what ``facts_to_json`` made.

    Args:
        content: The JSON object.
        where: Name for messages.

    Raises:
        StoreError: If the schema version is another one, or a field is missing, of a wrong type, or of a value that no
            report has, such as an unknown cost or a budget of zero. Unknown fields are ignored.
    """
    version = content.get("schema_version")
    require_version(where, version, SCHEMA_VERSION, _REMEDY)
    try:
        # Strict: a number in quotes is damage. From text, since that is where lists may stand for tuples.
        facts = _ADAPTER.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{where}: {field}: {first['msg']} (got {first['input']!r:.80})") from None
    for place, part in _parts(facts):
        for wrong in _wrong_fields(part):
            raise StoreError(f"{where}: {place}{wrong}; {_REMEDY}")
    for wrong in _unknown_costs(facts):
        raise StoreError(f"{where}: {wrong}; {_REMEDY}")
    return facts


def read_facts(path: Path) -> StudyFacts:
    """Reads ``report.json``.

    Raises:
        StoreError: If it is missing, damaged or of another schema.
    """
    return facts_from_json(read_json(path, "report", _REMEDY, SCHEMA_VERSION), str(path))


def _parts(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any field of the facts
    """Yields every dataclass in the facts, with its place as the start of a field's name."""
    if dataclasses.is_dataclass(value):
        yield place, value
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name), f"{place}{field.name}.")
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from _parts(item, f"{place}{position}.")


def _wrong_fields(part: Any) -> Iterator[str]:  # noqa: ANN401 - any dataclass of the facts
    """Yields what is wrong with fields of one dataclass whose types are right, each with the field's name."""
    for name in ("cost", "primary_cost"):
        if (cost := getattr(part, name, None)) is not None and cost not in COSTS:
            yield f"{name}: unknown cost (got {cost!r:.80})"
    positive = ("budget", "predicted") if isinstance(part, SmallestCost) else ("budget",)
    for name in positive:
        if (value := getattr(part, name, None)) is not None and not 0 < value < math.inf:
            yield f"{name}: must be a finite number above zero (got {value!r})"
    if isinstance(part, DataFacts) and not part.classes:
        yield "classes: must name at least one class (got none)"
    if isinstance(part, RivalsFacts) and not part.rivals:
        yield "rivals: must hold at least one network (got none)"
    if isinstance(part, CellFacts) and not (
        0 < len(part.edges) == len(part.operations) == len(part.live)
        and all(0 <= start < end <= _MOST_NODES for start, end in part.edges)
    ):
        yield f"edges: must be pairs of nodes that rise, with an operation each (got {part.edges!r:.80})"
    if isinstance(part, GraphFacts) and not all(0 <= box < len(part.boxes) for flow in part.flows for box in flow):
        yield f"flows: must be pairs of positions of the {len(part.boxes)} boxes (got {part.flows!r:.80})"


def _unknown_costs(facts: StudyFacts) -> Iterator[str]:
    """Yields costs of off-the-shelf networks that nothing stands beside."""
    if facts.rivals is None:
        return
    for name in facts.rivals.unknown:
        if name not in COSTS:
            yield f"rivals.unknown: unknown cost (got {name!r:.80})"
    names = [cost.cost for cost in facts.rivals.rivals[0].costs]
    if any([cost.cost for cost in one.costs] != names for one in facts.rivals.rivals):
        yield "rivals.rivals: the costs of all networks must be the same"
    chosen = facts.answer.chosen
    if chosen is not None and not {cost.cost for cost in chosen.costs}.issuperset(names):
        yield f"rivals.rivals: the chosen architecture must have each of these costs too (got {', '.join(names):.80})"


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field of the facts
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    # Statistics come as numpy's scalars, which json does not take.
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

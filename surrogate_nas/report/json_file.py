"""Facts to and from the JSON of ``report.json``."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from surrogate_nas._support.files import read_json
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas.errors import StoreError
from surrogate_nas.report.facts.whole import SCHEMA_VERSION, StudyFacts

_REMEDY = "continue the study with --resume to write it again"
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
        StoreError: If the schema version is another one, or a field is missing or of a wrong type. Unknown
            fields are ignored.
    """
    version = content.get("schema_version")
    require_version(where, version, SCHEMA_VERSION, _REMEDY)
    try:
        # Strict: a number in quotes is damage. From text, since that is where lists may stand for tuples.
        return _ADAPTER.validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{where}: {field}: {first['msg']} (got {first['input']!r:.80})") from None


def read_facts(path: Path) -> StudyFacts:
    """Reads ``report.json``.

    Raises:
        StoreError: If it is missing, damaged or of another schema.
    """
    return facts_from_json(read_json(path, "report", _REMEDY, SCHEMA_VERSION), str(path))


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

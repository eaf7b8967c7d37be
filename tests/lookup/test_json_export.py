"""The Pareto set as JSON, and both kinds of JSON against the schema."""

import json
from pathlib import Path

import jsonschema
import pytest

import surrogate_nas.lookup.json_export
from surrogate_nas.lookup.json_export import write_pareto_json
from surrogate_nas.lookup.table import LookupTable

SCHEMA = json.loads((Path(surrogate_nas.lookup.json_export.__file__).parent / "lookup.schema.json").read_text())


def test_the_front_is_in_it(table: LookupTable, tmp_path: Path) -> None:
    path = tmp_path / "pareto.json"
    assert write_pareto_json(table, path) == len(table.pareto())
    content = json.loads(path.read_text())
    assert content["entries"] == [entry.as_json() for entry in table.pareto()]
    assert (content["space_fingerprint"], content["cost"]) == (table.metadata.space_fingerprint, "latency_ms")
    within = table.resolve(latency_ms=4)
    assert write_pareto_json(table, path, within) == len(table.pareto(budgets=within))


def test_files_follow_the_schema(table: LookupTable, tmp_path: Path) -> None:
    table.write(tmp_path)
    write_pareto_json(table, tmp_path / "pareto.json")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name in ("lookup.json", "pareto.json"):
        content = json.loads((tmp_path / name).read_text())
        jsonschema.validate(content, SCHEMA)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**content, "seed": "0"}, SCHEMA)

"""The record of a run's database."""

import json
from pathlib import Path

import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.runs.storage_record import StorageRecord


def test_a_run_keeps_its_identity_and_says_where_its_studies_are(tmp_path: Path) -> None:
    path = tmp_path / "storage.json"
    StorageRecord(path).write(None)
    assert not path.exists()
    assert StorageRecord(path).url is None
    first = StorageRecord(path)
    first.write("postgresql://ada@host/db")
    again = StorageRecord(path)
    assert (again.run, again.url) == (first.run, "postgresql://ada@host/db")
    assert StorageRecord(tmp_path / "other.json").run != first.run
    again.write(None)
    assert (StorageRecord(path).run, StorageRecord(path).url) == (first.run, None)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"run": "x"}', '{"run": 1}', '{"run": "%s", "url": "a\\nb"}' % ("0" * 32)]
)
def test_a_damaged_record_is_refused_with_the_remedy(tmp_path: Path, content: str) -> None:
    path = tmp_path / "storage.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"storage\.json.*(remove it|name=NAME)"):
        _ = StorageRecord(path).run
    with pytest.raises(StoreError, match=r"storage\.json.*(remove it|name=NAME)"):
        _ = StorageRecord(path).url


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "storage.json"
    StorageRecord(path).write("postgresql://ada@host/db")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run": "0" * 32}))
    with pytest.raises(StoreError, match="remove it"):
        _ = StorageRecord(path).run

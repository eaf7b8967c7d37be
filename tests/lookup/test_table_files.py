"""The three files: what they hold, and every way in which they may not belong together."""

import csv
import itertools
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.lookup.parquet_columns import ParquetColumns, encode
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.lookup.table_files import read_files, write_files


@pytest.fixture
def folder(table: LookupTable, tmp_path: Path) -> Path:
    table.write(tmp_path)
    return tmp_path


def test_the_csv_twin_has_the_same_rows_rounded(folder: Path, table: LookupTable) -> None:
    with (folder / "lookup.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table)
    for row in (0, 1, 2500, 4999):
        entry, line = table.entry(row), rows[row]
        assert (line["code"], line["architecture"]) == (entry.code, entry.architecture)
        assert line["flops"] == str(entry.costs["flops"])
        assert float(line["latency_ms"]) == round(entry.costs["latency_ms"], 6)
        assert float(line["predicted_accuracy_percent"]) == round(entry.predicted_accuracy_percent, 3)
        label = entry.labels.get("label_accuracy_percent")
        assert line["label_accuracy_percent"] == "" if label is None else float(line["label_accuracy_percent"])
        assert line["pareto"] == str(entry.pareto).lower()


def test_the_json_says_what_the_table_is_about(folder: Path, table: LookupTable) -> None:
    facts = json.loads((folder / "lookup.json").read_text())
    assert facts["rows"] == 5000
    assert facts["columns"] == pq.read_schema(folder / "lookup.parquet").names
    assert facts["device"] == table.metadata.device
    assert facts["units"]["latency_ms"] == "milliseconds per batch"


def test_a_writer_that_stopped_after_any_file_is_noticed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    shorter = ParquetColumns(encode({"code": np.array(["0"], dtype=object)}), "a test")
    write_files(other, shorter, {})
    (folder / "lookup.parquet").write_bytes((other / "lookup.parquet").read_bytes())
    with pytest.raises(StoreError, match="do not belong together or are damaged; run the study again"):
        read_files(folder)
    (folder / "lookup.json").unlink()
    with pytest.raises(StoreError, match=re.escape(f"metadata is missing: {folder / 'lookup.json'}")):
        read_files(folder)


def _two_tables() -> tuple[ParquetColumns, ParquetColumns]:
    names = ("one", "two")
    first, second = (ParquetColumns(encode({"code": np.array([name], dtype=object)}), name) for name in names)
    return first, second


def _kill_at(operation: int, patch: pytest.MonkeyPatch) -> None:
    """Ends the process, as far as the test goes, at an operation on files, and at each one after it."""
    count = itertools.count()

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def step(*words: object, **more: object) -> object:
            if next(count) >= operation:
                raise KeyboardInterrupt
            return real(*words, **more)

        return step

    for name in ("replace", "unlink", "write_bytes", "write_text", "open"):
        patch.setattr(Path, name, counted(getattr(Path, name)))


def test_a_writer_that_is_killed_at_any_operation_leaves_one_table(tmp_path: Path) -> None:
    tables = _two_tables()
    seen = []
    for operation in itertools.count():
        write_files(tmp_path, tables[0], {"which": 0})
        with pytest.MonkeyPatch.context() as patch:
            _kill_at(operation, patch)
            killed = False
            try:
                write_files(tmp_path, tables[1], {"which": 1})
            except KeyboardInterrupt:
                killed = True
        columns, facts = read_files(tmp_path)
        assert columns.image == tables[facts["which"]].image
        seen.append(facts["which"])
        if not killed:
            break
    assert seen == sorted(seen)
    assert seen.count(0) > 5
    assert seen.count(1) > 1  # while the file waits, and once it is in its place
    assert not (tmp_path / ".lookup.next.parquet").exists()


def test_readers_beside_a_writer_get_one_table(tmp_path: Path) -> None:
    tables = _two_tables()
    write_files(tmp_path, tables[0], {"which": 0})
    done = threading.Event()

    def write() -> None:
        for turn in range(50):
            write_files(tmp_path, tables[turn % 2], {"which": turn % 2, "turn": turn})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = set()
    while not done.is_set():
        columns, facts = read_files(tmp_path)
        assert columns.image == tables[facts["which"]].image
        read.add(facts.get("turn"))
    writer.join()
    assert len(read) > 2


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_is_noticed(
    data: st.DataObject, table: LookupTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    table.write(folder)
    for name in ("lookup.parquet", "lookup.json"):
        whole = (folder / name).read_bytes()
        # Without its last byte, a line feed, the JSON file is still whole.
        cut = data.draw(st.integers(0, len(whole) - 2))
        (folder / name).write_bytes(whole[:cut])
        with pytest.raises(StoreError) as caught:
            LookupTable.load(folder)
        assert "\n" not in str(caught.value)
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "another"}, "does not describe a lookup table"),
        ({"schema_version": 2}, "has version 2 and this program reads 1: the program is older than the file"),
        ({"rows": 4}, "does not have the rows and columns"),
        ({"columns": ["code"]}, "does not have the rows and columns"),
        ({"sha256": "0"}, "do not belong together"),
        ({"seed": "0"}, "wrong 'seed'"),
        ({"primary_cost": "params"}, "lacks the columns params"),
    ],
)
def test_facts_that_do_not_fit_are_noticed(change: dict[str, Any], message: str, folder: Path) -> None:
    facts = json.loads((folder / "lookup.json").read_text())
    write_json(folder / "lookup.json", {**facts, **change})
    with pytest.raises(StoreError, match=message):
        LookupTable.load(folder)


def test_no_table_yet_is_told_from_a_lost_one(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(RunFolderError, match=re.escape(f"{empty} is not a run folder of a study")):
        read_files(empty)
    (empty / "study.toml").touch()
    with pytest.raises(RunFolderError, match=re.escape(f"{empty} has no lookup table yet; the study writes it")):
        read_files(empty)
    with pytest.raises(RunFolderError, match=re.escape(f"there is no {empty / 'run'}; give the run folder")):
        read_files(empty / "run")
    (empty / "notes.txt").write_text("")
    with pytest.raises(RunFolderError, match=re.escape(f"(got {empty / 'notes.txt'})")):
        read_files(empty / "notes.txt")
    (folder / "lookup.parquet").unlink()
    with pytest.raises(StoreError, match="the lookup table cannot be read"):
        read_files(folder)


def test_a_folder_that_cannot_be_written_is_named(table: LookupTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=re.escape(f"cannot be written to {tmp_path / 'file'}")):
        table.write(tmp_path / "file")

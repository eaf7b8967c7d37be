"""Checksums are renewed, so that what lies behind them is reached."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.breaking.readers import seal_lookup, the_network, the_space
from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.table import LookupTable


def test_a_changed_table_is_refused_by_its_content_once_it_is_sealed(digits_copy: Path) -> None:
    table = pq.read_table(digits_copy / "lookup.parquet")
    texts = pa.array(["x"] * len(table))
    pq.write_table(table.set_column(table.column_names.index("score"), "score", texts), digits_copy / "lookup.parquet")
    with pytest.raises(StoreError, match="do not belong together"):
        LookupTable.load(digits_copy)
    seal_lookup(digits_copy)
    with pytest.raises(StoreError, match="column score is of type string"):
        LookupTable.load(digits_copy)


def test_a_file_that_is_no_table_is_sealed_too(digits_copy: Path) -> None:
    before = json.loads((digits_copy / "lookup.json").read_bytes())
    (digits_copy / "lookup.parquet").write_bytes(b"x")
    seal_lookup(digits_copy)
    assert json.loads((digits_copy / "lookup.json").read_bytes())["sha256"] != before["sha256"]
    with pytest.raises(StoreError, match="is damaged"):
        LookupTable.load(digits_copy)


def test_good_files_are_of_the_space_and_network_of_the_smallest_study() -> None:
    assert the_space().name == "quick"
    assert the_network().image_size == 8

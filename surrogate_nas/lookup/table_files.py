"""The three files that carry a lookup table: Parquet, CSV, and the JSON that vouches for them."""

import hashlib
from pathlib import Path
from typing import Any

from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import atomic_write, read_json, write_json
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.lookup.parquet_columns import ParquetColumns

FORMAT = "surrogate_nas lookup table"
SCHEMA_VERSION = 1
_REMEDY = "run the study again to write all three files"


def write_files(folder: Path, columns: ParquetColumns, facts: dict[str, Any]) -> None:
    """Writes lookup.parquet, lookup.csv and lookup.json; the last one vouches for the first.

    Raises:
        RunFolderError: If the folder cannot be written to.
    """
    try:
        with atomic_write(folder / "lookup.parquet") as temporary:
            temporary.write_bytes(columns.image)
        with atomic_write(folder / "lookup.csv") as temporary:
            columns.write_csv(temporary)
        content = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "rows": columns.num_rows,
            "sha256": hashlib.sha256(columns.image).hexdigest(),
            "columns": columns.names,
            **facts,
        }
        write_json(folder / "lookup.json", content)
    except OSError as error:
        raise RunFolderError(f"the lookup table cannot be written to {folder}: {error}") from None


def read_files(path: Path) -> tuple[ParquetColumns, dict[str, Any]]:
    """Returns the columns and facts of a table.

    Args:
        path: The folder that holds the three files, or one of these files.

    Raises:
        RunFolderError: If there is no table.
        StoreError: If a file is missing, damaged, foreign, or not written together with the others.
    """
    if not path.exists():
        raise RunFolderError(f"there is no {path}; give the run folder of a study, which holds its lookup table")
    parquet = path / "lookup.parquet" if path.is_dir() else path.with_suffix(".parquet")
    facts_path = parquet.with_suffix(".json")
    if path.is_dir() and not parquet.exists() and not facts_path.exists():
        if not (path / "study.toml").is_file():
            raise RunFolderError(f"{path} is not a run folder of a study; give a folder that a study wrote")
        resume = shown("study", "--output-dir", path, "--resume")
        if _met_nothing(path):
            raise RunFolderError(
                f"{path} has no lookup table: no architecture met the budget; add a larger one to: {resume}"
            )
        raise RunFolderError(f"{path} has no lookup table yet; the study writes it: {resume}")
    if path.is_file() and path.suffix not in (".parquet", ".json", ".csv"):
        raise RunFolderError(f"a lookup table is a run folder or a .parquet file (got {path})")
    facts = read_json(facts_path, "lookup table metadata")
    if facts.get("format") != FORMAT:
        raise StoreError(f"{facts_path} does not describe a lookup table")
    if facts.get("schema_version") != SCHEMA_VERSION:
        raise StoreError(
            f"the lookup table has schema {facts.get('schema_version')!r}, this version reads {SCHEMA_VERSION}; "
            f"use the version of surrogate_nas that wrote it: {facts_path}"
        )
    try:
        image = parquet.read_bytes()
    except OSError as error:
        raise StoreError(f"the lookup table cannot be read: {error}; {_REMEDY}") from None
    if hashlib.sha256(image).hexdigest() != facts.get("sha256"):
        raise StoreError(
            f"{parquet.name} and {facts_path.name} do not belong together or are damaged; {_REMEDY}: {path}"
        )
    columns = ParquetColumns(image, parquet)
    if columns.num_rows != facts.get("rows") or columns.names != facts.get("columns"):
        raise StoreError(f"{parquet} does not have the rows and columns that {facts_path.name} states; {_REMEDY}")
    return columns, facts


def _met_nothing(run: Path) -> bool:
    """Returns whether the report of a run says that nothing meets its budget; a stopped study has no such report."""
    try:
        answer = read_json(run / "report.json", "report of the run").get("answer")
    except StoreError:
        return False
    return isinstance(answer, dict) and answer.get("outcome") == "infeasible"

"""The three files that carry a lookup table: Parquet, CSV, and the JSON that vouches for them.

A new Parquet file waits until the JSON file vouches for it, and then takes the place of the old one. One of the two is
always the one that the JSON file vouches for, so that readers get the old table or the new one while a writer is at
work, and after one was killed.
"""

import hashlib
from pathlib import Path
from typing import Any

from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import atomic_write, put_in_place, read_json, write_json
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
        with atomic_write(folder / "lookup.csv") as temporary:
            columns.write_csv(temporary)
        parquet = folder / "lookup.parquet"
        with atomic_write(_waiting(parquet)) as temporary:
            temporary.write_bytes(columns.image)
        content = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "rows": columns.num_rows,
            "sha256": hashlib.sha256(columns.image).hexdigest(),
            "columns": columns.names,
            **facts,
        }
        write_json(folder / "lookup.json", content)
        put_in_place(_waiting(parquet), parquet)
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
    facts, image = _read_together(facts_path, parquet)
    columns = ParquetColumns(image, parquet)
    if columns.num_rows != facts.get("rows") or columns.names != facts.get("columns"):
        raise StoreError(f"{parquet} does not have the rows and columns that {facts_path.name} states; {_REMEDY}")
    return columns, facts


def _waiting(parquet: Path) -> Path:
    """Returns the place where a new Parquet file waits."""
    return parquet.with_name(f".{parquet.stem}.next.parquet")


def _read_together(facts_path: Path, parquet: Path) -> tuple[dict[str, Any], bytes]:
    """Returns the facts and the content of the Parquet file that they vouch for."""
    facts = _read_facts(facts_path)
    while True:
        reason = f"{parquet.name} and {facts_path.name} do not belong together or are damaged"
        # The first one a second time: the waiting file may have taken its place just after it was read.
        for place in (parquet, _waiting(parquet), parquet):
            try:
                image = place.read_bytes()
            except OSError as error:
                reason = f"the lookup table cannot be read: {error}" if place == parquet else reason
                continue
            if hashlib.sha256(image).hexdigest() == facts.get("sha256"):
                return facts, image
        before, facts = facts, _read_facts(facts_path)
        if before == facts:  # and no writer was at work
            raise StoreError(f"{reason}; {_again(parquet.parent)}")


def _read_facts(facts_path: Path) -> dict[str, Any]:
    """Returns the facts of a table of this version."""
    facts = read_json(facts_path, "lookup table metadata", _REMEDY, SCHEMA_VERSION)
    if facts.get("format") != FORMAT:
        raise StoreError(f"{facts_path} does not describe a lookup table; {_again(facts_path.parent)}")
    return facts


def _again(folder: Path) -> str:
    """Returns what makes the files of a table again: the study, where they are in its run folder."""
    if not (folder / "study.toml").is_file():
        return f"{_REMEDY}, and copy them to {folder}"
    return f"write all three files again with: {shown('study', '--output-dir', folder, '--resume')}"


def _met_nothing(run: Path) -> bool:
    """Returns whether the report of a run says that nothing meets its budget; a stopped study has no such report."""
    try:
        answer = read_json(run / "report.json", "report of the run", _REMEDY).get("answer")
    except StoreError:
        return False
    return isinstance(answer, dict) and answer.get("outcome") == "infeasible"

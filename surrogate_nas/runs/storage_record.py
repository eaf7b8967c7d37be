"""The database that keeps a run's Optuna studies, ``storage.json``: without its password, and who the run is there."""

import uuid
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError

_REMEDY = "remove it and resume; if the database still has the study, the next message says how to remove it there"


class _Content(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    run: str = Field(pattern=r"^[0-9a-f]{32}$")
    url: str | None = Field(default=None, max_length=2000, pattern=r"^[^\x00-\x1f]+$")


class StorageRecord:
    """The part of a run's database that its folder keeps.

    Args:
        path: The file; it is missing where a run never used a database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def run(self) -> str:
        """Identity of the run among all that use the database; random, as no result depends on it.

        Raises:
            StoreError: If the file is damaged.
        """
        found = self._read()
        return uuid.uuid4().hex if found is None else found.run

    @property
    def url(self) -> str | None:
        """The database that has the studies now, without its password; None for journals in the run folder.

        Raises:
            StoreError: If the file is damaged.
        """
        found = self._read()
        return None if found is None else found.url

    def write(self, url: str | None) -> None:
        """Records where the studies are from now on: in a database, of which no password is given, or in journals."""
        if url is not None or self._path.exists():
            content = _Content(run=self.run, url=url)
            write_json(self._path, content.model_dump())

    def _read(self) -> _Content | None:
        if not self._path.exists():
            return None
        content = read_json(self._path, "record of the database", _REMEDY)
        try:
            return _Content.model_validate(content)
        except ValidationError:
            raise StoreError(f"the record of the database is damaged: {self._path}; {_REMEDY}") from None

"""Keeps results of one kind on this machine, of many runs and processes, in a file for each setting."""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout

from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError, SurrogateNasWarning

_LOCK_SECONDS = 10.0

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Kind(Generic[Entry]):
    """One kind of results.

    Attributes:
        plural: Its name in the file and in messages, such as ``"measurements"``.
        verb: How such a result is made, such as ``"measure"``.
        prefix: Beginning of the file's name.
        schema: Raised with the layout of the file, and with how a result is made.
        to_json: Returns an entry as JSON takes it.
        from_json: Returns the entry of that; it raises ValueError for anything else.
    """

    plural: str
    verb: str
    prefix: str
    schema: int
    to_json: Callable[[Entry], Any]
    from_json: Callable[[Any], Entry]


class ResultCache(Generic[Entry]):
    """Results of one kind and one identity. Several processes may use one cache.

    Args:
        kind: What is kept.
        folder: Folder of the cache; created when it is first needed.
        identity: Everything that a result depends on, as JSON takes it.
    """

    def __init__(self, kind: Kind[Entry], folder: Path, identity: Mapping[str, Any]) -> None:
        self._kind, self.identity = kind, dict(identity)
        text = json.dumps([kind.schema, self.identity], sort_keys=True)
        self.path = folder / f"{kind.prefix}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def read(self) -> dict[str, Entry]:
        """Returns every result kept so far, by its name; a damaged file counts as missing.

        Warns:
            SurrogateNasWarning: If the file is damaged.
        """
        kind = self._kind
        name = f"cache of {kind.plural}"
        try:
            if not self.path.exists():
                return {}
            content = read_json(self.path, name, f"remove it to {kind.verb} again", kind.schema)
            entries = content.get(kind.plural)
            if not isinstance(entries, dict):
                raise ValueError(f"it has no {kind.plural}")
            if content.get("identity") != self.identity:
                raise ValueError("it belongs to another machine or setting")
            return {str(key): kind.from_json(entry) for key, entry in entries.items()}
        except (OSError, StoreError, ValueError) as error:
            _warn(f"the {name} {self.path} cannot be used and is made again: {error}")
            return {}

    def add(self, new: Mapping[str, Entry]) -> dict[str, Entry]:
        """Keeps results, unless another process has kept one of the same name in the meantime.

        Args:
            new: Results by their names.

        Returns:
            The results now kept under these names, which the caller should use.

        Warns:
            SurrogateNasWarning: If the file cannot be written.
        """
        return self.update(new, lambda kept: {**new, **kept})

    def update(
        self, new: Mapping[str, Entry], merge: Callable[[dict[str, Entry]], dict[str, Entry]]
    ) -> dict[str, Entry]:
        """Keeps what ``merge`` makes of the results kept so far; returns and warns as ``add`` does."""
        kind = self._kind
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                merged = merge(self.read())
                entries = {key: kind.to_json(entry) for key, entry in sorted(merged.items())}
                write_json(self.path, {"schema": kind.schema, "identity": self.identity, kind.plural: entries})
        except (OSError, Timeout) as error:
            _warn(
                f"{kind.plural} cannot be kept in {self.path.parent}, so the next run will {kind.verb} again: {error};"
                f" set {FOLDER_VARIABLE} to a folder that can be written to"
            )
            return dict(new)
        return {key: merged[key] for key in new}


def _warn(message: str) -> None:
    warnings.warn(message, SurrogateNasWarning, stacklevel=4)

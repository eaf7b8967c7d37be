"""The state of a run, ``state.json``: which stages are done with which inputs, and how long they took."""

import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field, ValidationError

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import StoreError

RECORDED = ("supernets", "gradient", "labels", "predictor", "trainings", "search", "winners", "rivals")


class Spent(Protocol):
    """Time and energy of a stage so far, such as a ``Meter`` has them."""

    @property
    def seconds(self) -> float:
        """Time."""

    @property
    def joules(self) -> float | None:
        """Energy; None where it is not known."""


class _Stage(BaseModel):
    """The record of one stage."""

    inputs: str = ""
    seconds: float = Field(ge=0)
    joules: float | None = None
    finished: str | None = None


class _Content(BaseModel):
    """Content of the file."""

    schema_version: Literal[1] = 1
    stages: dict[str, _Stage] = {}
    listing: str | None = None


class RunState:
    """The state of a run; every change is written at once.

    Args:
        path: The file; a missing one is a run that has not started.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Reads the file.

        Raises:
            StoreError: If it is damaged.
        """
        self._read()

    def is_done(self, stage: str, inputs: str) -> bool:
        """Returns whether a stage is done with these inputs."""
        known = self._read().stages.get(stage)
        return known is not None and known.finished is not None and known.inputs == inputs

    def mark_done(self, stage: str, meter: Spent, inputs: str = "") -> None:
        """Records that a stage is done now, its time since its meter started, and what it was made from."""
        self._set(stage, _Stage(inputs=inputs, finished=_now(), **_spent(meter.seconds, meter.joules)))

    def forget(self, stage: str) -> None:
        """Records that a stage is not done, whatever its inputs; call it before its files are replaced."""
        content = self._read()
        if content.stages.pop(stage, None) is not None:
            self._write(content)

    def add(self, stage: str, meter: Spent, *, finished: bool) -> None:
        """Adds the time of a stage that every process continues where the last one stopped."""
        known = self._read().stages.get(stage) or _Stage(seconds=0.0, joules=0.0)
        joules = meter.joules
        total = None if joules is None or known.joules is None else joules + known.joules
        spent = _spent(meter.seconds + known.seconds, total)
        self._set(stage, _Stage(finished=_now() if finished else None, **spent))

    def seconds(self) -> dict[str, float]:
        """Seconds that each stage took, in the order of the stages; time of a process that was killed is lost."""
        stages = self._read().stages
        return {name: stages[name].seconds for name in RECORDED if name in stages}

    def joules(self) -> dict[str, float]:
        """Returns the energy of the stages where it is known."""
        return {name: stage.joules for name, stage in self._read().stages.items() if stage.joules is not None}

    @property
    def listing(self) -> str | None:
        """Hash of the files of the images when they were read; see ``data.folders.listing.listing``."""
        return self._read().listing

    @listing.setter
    def listing(self, listing: str | None) -> None:
        content = self._read()
        if content.listing != listing:
            self._write(content.model_copy(update={"listing": listing}))

    def _set(self, name: str, stage: _Stage) -> None:
        content = self._read()
        content.stages[name] = stage
        self._write(content)

    def _write(self, content: _Content) -> None:
        write_json(self._path, content.model_dump(mode="json"))

    def _read(self) -> _Content:
        if not self._path.exists():
            return _Content()
        remedy = "remove the file: what is done is found again"
        try:
            return _Content.model_validate(read_json(self._path, "state of the run", remedy))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StoreError(
                f"the state of the run is damaged: {self._path}: {where}: {first['msg']}; {remedy}"
            ) from None


def _spent(seconds: float, joules: float | None) -> dict[str, Any]:
    return {"seconds": round(seconds, 3), "joules": None if joules is None else round(joules, 3)}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")

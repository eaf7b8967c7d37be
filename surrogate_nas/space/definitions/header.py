"""The first keys of every definition of a space, and messages about a mistake in one."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Strict, or true would be 1 channel and "16" a number."""
_NAME = 60  # letters


class KnownArchitecture(BaseModel):
    """An architecture of the space that people know by name."""

    model_config = STRICT
    name: Annotated[str, Field(min_length=1, max_length=_NAME)]
    architecture: str


class Header(BaseModel):
    """The keys of every definition."""

    model_config = STRICT
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    source: str = ""
    kind: str
    program: Annotated[str | None, Field(pattern=r"\.py$")] = None
    known: Annotated[list[KnownArchitecture], Field(default_factory=list, max_length=100)]


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], content: dict[str, Any], path: Path) -> Model:
    """Returns the content of a file as a model.

    Raises:
        SpaceError: If it is malformed; the message names file and key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise SpaceError(f"{path}: {_explain(error, model)}") from None


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Returns the key, the fault, and the value that was found."""
    # A misspelt key is reported twice, as one that is missing and as one that is unknown; the latter says more.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    *section, _ = first["loc"]
    key = ".".join(map(str, first["loc"]))
    keys = ", ".join(_model_of(model, section).model_fields)
    if first["type"] == "missing":
        return f"{key} is missing; add it, the keys there are {keys}"
    if first["type"] == "extra_forbidden":
        return f"unknown key {shown(key)}; the keys there are {keys}"
    # pydantic would speak of the class that a table is read into.
    message = "input should be a table" if first["type"] == "model_type" else first["msg"]
    return f"{key}: {message[:1].lower()}{message[1:]} (got {shown(first['input'])})"


def _model_of(model: type[BaseModel], section: list[int | str]) -> type[BaseModel]:
    """Returns the model of a section: of a table, or of the tables of a list."""
    for step in section:
        # Keys of a table that the author of the space names are no fields.
        if isinstance(step, str) and step in model.model_fields:
            annotation: Any = model.model_fields[step].annotation
            inner = [each for each in getattr(annotation, "__args__", ()) if isinstance(each, type)]
            model = next((each for each in [annotation, *inner] if _is_model(each)), model)
    return model


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

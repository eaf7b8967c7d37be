"""Reads a study from TOML, applies what the command line sets, and writes the result back."""

import copy
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from surrogate_nas._support.definitions import find_definition, read_toml
from surrogate_nas._support.files import write_text
from surrogate_nas._support.stored.checksums import DIFFERS, checksum
from surrogate_nas._support.words import choose_from, shown
from surrogate_nas.errors import SettingsError, SurrogateNasError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.supernet.presets import PRESETS
from surrogate_nas.supernet.settings import SupernetSettings, without_effect

RESOLVED_HEADER = "# Every setting of this run, written by surrogate_nas.study.\n"
NOT_SET = "none"
_CHECKSUM = "# checksum of what follows: "
_ADDED = ("rivals", "gradient")  # sections that runs of version 0.1.0 may be without

_MOST_IN_A_LINE = 40
_LETTERS = 150  # of a list of choices

Settings = TypeVar("Settings", bound=BaseModel)


def read_study(name: str, overrides: Mapping[str, Any]) -> StudySettings:
    """Returns a study by name or path, with single settings replaced.

    Args:
        name: Name of a study that comes with the project, or path of a ``.toml`` file.
        overrides: Dotted key, such as ``"supernet.steps"``, to value.

    Raises:
        SettingsError: If the study, a setting or a value is unknown or impossible.
    """
    path = find_definition("studies", name)
    content = {"name": path.stem, **read_toml(path)}
    of_run = is_resolved(path)
    content = _without_former_preset(content, overrides) if of_run else _without_replaced_rules(content, overrides)
    return validated(StudySettings, content, overrides, f"in {path}")


def read_resolved(path: Path, overrides: Mapping[str, Any]) -> StudySettings:
    """Returns the resolved study of a run folder, with single settings replaced.

    Raises:
        SettingsError: If the file is damaged, or a setting or a value is unknown or impossible.
    """
    content = read_toml(path)
    _check_unchanged(path)
    missing = [name for name in StudySettings.model_fields if name not in content and name not in _ADDED]
    if missing:
        raise SettingsError(f"{path} is cut short: it has no {missing[0]}")
    return validated(StudySettings, _without_former_preset(content, overrides), overrides, f"in {path}")


def _without_former_preset(content: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a resolved study without the rules of its preset, where another preset is asked for."""
    supernet, key = content.get("supernet"), "supernet.preset"
    if not isinstance(supernet, dict) or overrides.get(key, supernet.get("preset")) == supernet.get("preset"):
        return content
    rules = {name for preset in PRESETS.values() for name in preset}
    return {**content, "supernet": {name: value for name, value in supernet.items() if name not in rules}}


def _without_replaced_rules(content: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a study without settings of rules that single settings replace; contradictions of its own stay."""
    supernet = content.get("supernet")
    if not isinstance(supernet, dict):
        return content
    supernet = _without_rules_of_preset(supernet)
    single = {key.removeprefix("supernet."): value for key, value in overrides.items() if key.startswith("supernet.")}
    gone = without_effect({**supernet, **single}).keys() - without_effect(supernet).keys() - single.keys()
    return {**content, "supernet": {name: value for name, value in supernet.items() if name not in gone}}


def _without_rules_of_preset(supernet: dict[str, Any]) -> dict[str, Any]:
    """Returns settings of a supernet without the rules that its preset gives it anyway, which ``--dry-run`` prints."""
    preset = supernet.get("preset")
    if not isinstance(preset, str) or preset not in PRESETS:
        return supernet
    defaults = {name: field.default for name, field in SupernetSettings.model_fields.items()}
    rules = {name: PRESETS[preset].get(name, defaults[name]) for each in PRESETS.values() for name in each}
    return {name: value for name, value in supernet.items() if name not in rules or value != rules[name]}


def is_resolved(path: Path) -> bool:
    """Returns whether a file is the study of a run folder."""
    try:
        with path.open("rb") as file:
            return file.read(len(RESOLVED_HEADER)) == RESOLVED_HEADER.encode()
    except OSError:
        return False


def write_study(path: Path, settings: StudySettings) -> None:
    """Writes every setting, so that the file alone repeats the study; settings that are not set are left out."""
    text = study_text(settings)
    write_text(path, f"{RESOLVED_HEADER}{_CHECKSUM}{checksum(text.encode())}\n{text}")


def _check_unchanged(path: Path) -> None:
    """Refuses the study of a run folder that is not what was written; version 0.1.0 wrote no checksum.

    Raises:
        SettingsError: If it is not.
    """
    header, found, rest = path.read_text(encoding="utf-8").partition(_CHECKSUM)
    held, _, text = rest.partition("\n")
    if found and header == RESOLVED_HEADER and held != checksum(text.encode()):
        raise SettingsError(
            f"{path} is damaged: {DIFFERS}; restore a copy, or remove its line {_CHECKSUM.strip()!r} if you changed it"
        )


def study_text(settings: StudySettings) -> str:
    """Returns every setting as TOML; settings that are not set are left out."""
    return tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True))


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Reads ``key=value`` texts, the value as TOML writes it, or bare text; ``none`` is a setting that is not set.

    A setting of a study that is a text may look like a number, such as the layer 1.2 for ``supernet.split_edge``.

    Raises:
        SettingsError: If there is no equals sign or no key.
    """
    result = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not all(part.strip() for part in key.split(".")):
            raise SettingsError(f"--set takes key=value, such as supernet.steps=5000 (got {text!r})")
        try:
            found = tomllib.loads(f"value = {value.strip()}")["value"]
        except (ValueError, RecursionError):
            found = parse_text(value)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        result[key.strip()] = value.strip() if is_number and key.strip() in _texts_of_study() else found
    return result


@cache
def _texts_of_study() -> frozenset[str]:
    """Returns the dotted keys of settings that are texts, and nothing else."""
    return frozenset(texts_of(StudySettings))


def parse_text(value: str) -> str | None:
    """Returns a text setting as a command line gives it; ``none`` is a setting that is not set."""
    return None if value.strip() == NOT_SET else value.strip()


def _with_overrides(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(dict(content))
    for key, value in overrides.items():
        *sections, last = key.split(".")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise SettingsError(f"unknown setting {key!r}: {section!r} has no settings of its own")
        place[last] = value
    return result


def _is_a_choice_named_none(error: ErrorDetails) -> bool:
    """Returns whether a setting was given as not set, though ``none`` is one of its choices."""
    return error["input"] is None and f"'{NOT_SET}'" in str(error.get("ctx", {}).get("expected", ""))


def validated(model: type[Settings], content: dict[str, Any], overrides: Mapping[str, Any], place: str) -> Settings:
    """Returns settings with single ones replaced.

    Args:
        model: Class of the settings.
        content: Settings by name, sections as dictionaries.
        overrides: Dotted key to value.
        place: Where the content comes from, such as ``"in study.toml"``.

    Raises:
        SettingsError: If a setting or a value is unknown or impossible.
    """
    complete = _with_overrides(content, overrides)
    try:
        settings = model.model_validate(complete)
    except ValidationError as error:
        first = _joined([{**one, "loc": _place(model, one["loc"])} for one in error.errors()])
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, SurrogateNasError):  # says by itself what is wrong and what would be right
            raise cause from None
        key = ".".join(str(part) for part in first["loc"])
        if key in overrides and _is_a_choice_named_none(first):
            return validated(model, content, {**overrides, key: NOT_SET}, place)
        given = any(f"{key}.".startswith(f"{name}.") or name.startswith(f"{key}.") for name in overrides)
        of_section = isinstance(first.get("input"), Mapping)
        where = place if not given or (of_section and _is_refused(model, content, first)) else "on the command line"
        raise SettingsError(_explain(first, key, where, settings_of(model))) from None
    _require_no_truth_for_numbers(complete, settings, overrides, place)
    return settings


def _place(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Returns the place of an error without the names of the kinds that a setting of several kinds may have."""
    for at, part in enumerate(loc):
        field = model.model_fields.get(str(part))
        if field is None:
            return loc
        nested = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)]
        if not nested:
            return (*loc[: at + 1], *(part for part in loc[at + 1 :] if isinstance(part, int)))
        model = nested[0]
    return loc


def _joined(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Returns the first error; of a setting of several kinds, with what each of them would take."""
    first = errors[0]
    same = [one for one in errors if one["loc"] == first["loc"]]
    if len(same) == 1:
        return first
    begins = "Input should be "
    texts = [one["msg"].removeprefix(begins) for one in same]
    return {**first, "type": "union", "msg": begins + " or ".join(dict.fromkeys(texts))}


def _require_no_truth_for_numbers(
    content: Mapping[str, Any], settings: BaseModel, overrides: Mapping[str, Any], place: str
) -> None:
    """Refuses ``true`` and ``false`` where a number is meant, which would count as 1 and 0."""
    known = flattened(settings)
    for key, value in _flattened(content):
        if isinstance(value, bool) and isinstance(known.get(key), int | float) and not isinstance(known[key], bool):
            where = "on the command line" if key in overrides else place
            raise SettingsError(f"{key}: input should be a number (got {str(value).lower()}) {where}")


def _is_refused(model: type[BaseModel], content: dict[str, Any], refusal: ErrorDetails) -> bool:
    """Returns whether settings are refused for the same reason without the ones of the command line."""
    try:
        model.model_validate(content)
    except ValidationError as error:
        return any((one["loc"], one["msg"]) == (refusal["loc"], refusal["msg"]) for one in error.errors())
    return False


def _explain(error: ErrorDetails, key: str, where: str, known: list[str]) -> str:
    kind, message, value = error["type"], error["msg"], error.get("input")
    if kind == "missing":
        return f"the setting {key!r} is missing {where}"
    if kind == "model_type":
        return f"{key or 'a study'} is a section of settings, not a value (got {shown(value)}) {where}"
    if kind == "literal_error" and len(message) > _LETTERS:
        names = re.findall("'([^']+)'", error["ctx"]["expected"])
        return f"{key}: unknown choice {shown(value)} {where}; {choose_from(names, str(value), 100)}"
    if kind != "extra_forbidden":
        message = message.removeprefix("Value error, ")
        # Of settings that contradict each other the message names both; all the others of the section say nothing.
        got = "" if kind == "value_error" and isinstance(value, Mapping) else f" (got {shown(value)})"
        return f"{key}: {message[:1].lower()}{message[1:]}{got} {where}"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    others = "see the settings with --dry-run" if len(known) > _MOST_IN_A_LINE else choose_from(known, key)
    remedy = f"did you mean {near[0]}?" if near else others
    return f"unknown setting {key!r} {where}; {remedy}"


def texts_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Returns dotted keys of the settings of a model that are texts, whatever they look like."""
    keys = []
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        nested = [kind for kind in kinds if _is_model(kind)]
        keys += texts_of(nested[0], f"{prefix}{name}.") if nested else []
        keys += [prefix + name] if {*kinds} <= {str, NoneType, str | None} else []
    return keys


def settings_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Returns dotted keys of all settings of a model."""
    keys = []
    for name, field in model.model_fields.items():
        nested = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)]
        keys += settings_of(nested[0], f"{prefix}{name}.") if nested else [prefix + name]
    return keys


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def flattened(settings: BaseModel) -> dict[str, Any]:
    """Returns the value of every setting by its dotted key."""
    return dict(_flattened(settings.model_dump(mode="json")))


def _flattened(content: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value

"""Settings as identities of stored results hold them, so that files of former versions stay what they were."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel


def settings_by_name(settings: BaseModel, without: Iterable[str] = (), later: Iterable[str] = ()) -> dict[str, Any]:
    """Returns the settings that a result follows from, by name, as JSON holds them.

    Args:
        settings: All settings.
        without: Names of those that decide nothing of the result.
        later: Names of those that version 0.1.0 did not have. They are there only where they are set.
    """
    fields = type(settings).model_fields
    unset = {name for name in later if name in fields and getattr(settings, name) == fields[name].default}
    return settings.model_dump(mode="json", exclude={*without, *unset})

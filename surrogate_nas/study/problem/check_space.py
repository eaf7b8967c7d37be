"""Loads the search space of a study, and checks that a run in the folder was started with the same one."""

from dataclasses import replace

from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.load import load_space, load_stored_space, program_of
from surrogate_nas.space.space import Space


def checked_space(settings: StudySettings, folder: RunFolder, *, named_by_user: bool) -> Space:
    """Returns the search space of a study.

    Args:
        settings: Of the study.
        folder: Of the run, which keeps the space that it was started with.
        named_by_user: Whether the user named the space, whose program may then be run.

    Raises:
        SpaceError, SettingsError: If there is no such space, or the cells of a network do not fit it.
        ProgramError: If the space has a program that may not be run.
        RunFolderError: If the run was started with another space or another program.
    """
    _require_same_program(settings, folder)
    space = load_space(settings.space, named_by_user=named_by_user)
    _require_same_space(space, settings, folder)
    _require_fitting_cells(space, settings)
    _require_names(space, settings)
    return space


def _require_same_program(settings: StudySettings, folder: RunFolder) -> None:
    """Comes before anything is run: a program that was changed is not the one that was trusted."""
    program = program_of(settings.space)
    if program is None or not folder.program.exists():
        return
    if folder.program.read_text(encoding="utf-8", errors="replace") != program.source:
        raise RunFolderError(
            f"{program.path} has changed since {folder.path} was started, which keeps it as {folder.program.name};"
            " restore it, use another --output-dir, or --overwrite to start over"
        )


def _require_same_space(space: Space, settings: StudySettings, folder: RunFolder) -> None:
    if not folder.space.exists():
        return
    try:
        before = load_stored_space(folder.path, "name the space that the run was started with, by --set space=FILE")
    except SettingsError as error:
        raise SettingsError(f"{error}; restore the file, or start over with --overwrite") from None
    if before.fingerprint != space.fingerprint:
        raise RunFolderError(
            f"{folder.path} was started with another space than {settings.space}; use another --output-dir, or"
            " --overwrite to start over"
        )
    # Sizes are no part of a fingerprint, as a study may set them; what it leaves to the space must stay as well.
    for size in ("channels", "cells"):
        old, new = getattr(before.network, size), getattr(space.network, size)
        if old != new and getattr(settings.network, size) is None:
            raise RunFolderError(
                f"{folder.path} was started with network.{size} = {old} of its space, and {settings.space} has {new}"
                " now; restore it, use another --output-dir, or --overwrite to start over"
            )


def _require_fitting_cells(space: Space, settings: StudySettings) -> None:
    """Refuses a study file that is made for another kind of space than the chosen one."""
    for setting, cells in (("network.cells", settings.network.cells), ("supernet.cells", settings.supernet.cells)):
        try:
            space.layout(replace(space.network, cells=cells or space.network.cells))
        except SpaceError as error:
            raise SettingsError(f"{setting} does not fit {space.name}: {error}") from None


def _require_names(space: Space, settings: StudySettings) -> None:
    asked = {("loop.first", "drawn"): settings.loop.first, ("labels.draws", "balanced"): settings.labels.draws}
    for (setting, other), value in asked.items():
        if value == "varied" and not space.known:
            raise SettingsError(
                f"{setting} = varied needs architectures with a name, and {space.name} has none; use"
                f" {setting} = {other}, or add [[known]] tables to the file of the space"
            )

"""The request of a person who runs a study."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.commands import shown, without_passwords
from surrogate_nas._support.definitions import available
from surrogate_nas.data.sources import SOURCES
from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.runs.run_folder import RunFolder, lies_in_run
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import is_resolved, read_resolved, read_study
from surrogate_nas.runs.tracking import check_tracker
from surrogate_nas.study.ask.own_device import own_requests, with_named_device

DEFAULT_STUDY = "quickstart"
OF_OWN_IMAGES = "images32"
"""The study that messages name for images of one's own: it needs no weights of a known network."""
RUNS = Path("runs")


@dataclass(frozen=True)
class Request:
    """A request to run a study.

    Attributes:
        settings: The study.
        output: The run folder.
        resume: Whether to continue a run in it.
        overwrite: Whether to replace a run in it.
        command: The command line, for the report.
        dashboard: Whether to serve optuna-dashboard while the study runs.
        names_space: Whether the space is one that the person named, whose program may be run.
        track: Where settings, curves and results are sent: tensorboard, mlflow, or nowhere.
        storage: URL of the database that keeps Optuna's studies; None for journals in the run folder. It is no setting:
            a run folder does not choose where this process connects to, and holds no password.

    Raises:
        SettingsError: If that tracker is unknown or not installed, or the URL is none of a database.
    """

    settings: StudySettings
    output: Path
    resume: bool
    overwrite: bool
    command: str
    dashboard: bool = False
    names_space: bool = True
    track: str | None = None
    storage: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Checks what would end the run later."""
        check_tracker(self.track)
        if self.storage is not None:
            # Optuna takes a second to import, which a request without a database need not wait for.
            from surrogate_nas.search.journal.database import Database

            Database(self.storage, "")


def resolve_request(
    name: str | Path | None, overrides: Mapping[str, Any], output: Path | None, *, resume: bool
) -> tuple[StudySettings, Path]:
    """Returns the requested study and its run folder; resuming without a study's name takes the folder's study.

    Args:
        name: Name of a study that comes with the project, path of a ``.toml`` file, or None for the default.
        overrides: Dotted key of settings to value.
        output: The run folder, or None for one named after the study.
        resume: Whether to continue a run.

    Raises:
        SettingsError: If the study, a setting, a value or a home folder is unknown or impossible, or budgets
            contradict each other.
        RunFolderError: If a run is to be resumed from a folder that holds none.
    """
    output = None if output is None else expanded(output)
    name = None if name is None else os.fspath(name)
    if name is None and resume:
        folder = output or RUNS / DEFAULT_STUDY
        begun = folder / "study.toml"
        if begun.exists():
            settings = with_named_device(read_resolved(begun, overrides))
            own_requests(settings)
            _require_own_cluster(name, overrides, settings, resume=resume)
            return settings, folder
        if output is not None:
            RunFolder(folder).check(resume=True, overwrite=False)
            raise RunFolderError(
                f"{folder} holds no run to continue: name the study to start one, such as {DEFAULT_STUDY}"
            )
    if name is not None:
        _refuse_other_things(name)
    elif "data.path" in overrides:
        # The default study is made for digits of 8x8 pixels.
        folder = overrides["data.path"]
        raise SettingsError(f"name a study for your images, such as: {shown('study', OF_OWN_IMAGES, '--data', folder)}")
    settings = with_named_device(read_study(name or DEFAULT_STUDY, overrides))
    _require_own_cluster(name, overrides, settings, resume=resume)
    own_requests(settings)  # refuses budgets that contradict each other, which --dry-run shows as well
    return settings, output or RUNS / settings.name


def _refuse_other_things(name: str) -> None:
    """Refuses what stands in the place of a study and is something else, with the option that takes it.

    Raises:
        SettingsError: If the name belongs to a folder, a data set or a search space.
    """
    if name.endswith(".toml") or name in available("studies"):
        return
    if (Path(name) / "study.toml").is_file():
        raise SettingsError(f"{name!r} is a run folder, not a study; continue it with: {resume_command(Path(name))}")
    options = {
        "a folder": ("--data", name, Path(name).is_dir()),
        "a data set": ("--data", name, name in SOURCES and name != "folder"),
        "a search space": ("--set", f"space={name}", name in available("spaces")),
    }
    for what, (option, value, is_so) in options.items():
        if is_so:
            study = [OF_OWN_IMAGES] if option == "--data" else []
            command = shown("study", *study, option, value)
            raise SettingsError(f"{name!r} is {what}, not a study; use it with: {command}")


def names_space(name: str | None, overrides: Mapping[str, Any], space: str, *, resume: bool) -> bool:
    """Returns whether a request names its space itself, or leaves it to a run folder, which may be somebody else's.

    A study or a space inside a run folder is somebody else's, whatever its text looks like.

    Args:
        name: Of the study.
        overrides: Dotted key of settings to value.
        space: The space of the study.
        resume: Whether to continue a run.
    """
    return "space" in overrides or not (_is_of_run(name, resume=resume) or _is_of_run(space, resume=False))


def _is_of_run(name: str | None, *, resume: bool) -> bool:
    """Returns whether a study or a space comes from a run folder: by its file, or as the study to continue."""
    if name is None:
        return resume
    return name.endswith(".toml") and (is_resolved(expanded(name)) or lies_in_run(expanded(name)))


def _require_own_cluster(
    name: str | None, overrides: Mapping[str, Any], settings: StudySettings, *, resume: bool
) -> None:
    """Refuses a cluster that only a run folder names: its machines would run programs for, and in, this process.

    Raises:
        SettingsError: If that is so.
    """
    cluster = settings.compute.cluster
    if cluster and "compute.cluster" not in overrides and _is_of_run(name, resume=resume):
        raise SettingsError(
            f"the run used the Ray cluster {cluster}, which a run folder does not choose; add --cluster {cluster} to"
            " use it again, or --set compute.cluster= for this machine alone"
        )


def resume_command(output: Path, track: str | None = None, cluster: str = "", storage: str | None = None) -> str:
    """Returns the command that continues a run.

    Args:
        output: The run folder.
        track: Its tracker.
        cluster: Its cluster.
        storage: URL of its database, of which a password is left out.
    """
    options = {"--track": track, "--cluster": cluster, "--storage": storage and without_passwords(storage)}
    words = [word for option, value in options.items() if value for word in (option, value)]
    return shown("study", "--output-dir", output, "--resume", *words)


def absolute_paths(settings: StudySettings) -> StudySettings:
    """Makes every path absolute, so that a run can be resumed from another folder."""

    def absolute(path: str | None) -> str | None:
        return str(expanded(path).resolve()) if path is not None else None

    weights = settings.supernet.weights_from
    is_file = weights is not None and (":" not in weights or expanded(weights).exists())  # not a name such as timm:NAME
    updates = {
        "space": absolute(settings.space) if settings.space.endswith(".toml") else settings.space,
        "data": settings.data.model_copy(update={"path": absolute(settings.data.path)}),
        "hardware": settings.hardware.model_copy(update={"latency_table": absolute(settings.hardware.latency_table)}),
        "supernet": settings.supernet.model_copy(update={"weights_from": absolute(weights) if is_file else weights}),
        "truth": settings.truth.model_copy(update={"file": absolute(settings.truth.file)}),
    }
    return settings.model_copy(update=updates)

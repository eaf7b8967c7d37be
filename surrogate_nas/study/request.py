"""What a person asks of the study command."""

from dataclasses import dataclass
from pathlib import Path

from surrogate_nas.study.settings import StudySettings


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    Attributes:
        settings: The study.
        output: The run folder.
        resume: Whether to go on with a run in it.
        overwrite: Whether to replace a run in it.
        command: The command line, for the report.
    """

    settings: StudySettings
    output: Path
    resume: bool
    overwrite: bool
    command: str


def absolute_paths(settings: StudySettings) -> StudySettings:
    """Makes every path absolute, so that a run can be resumed from another folder."""

    def absolute(path: str | None) -> str | None:
        return str(Path(path).expanduser().resolve()) if path is not None else None

    updates = {
        "space": absolute(settings.space) if settings.space.endswith(".toml") else settings.space,
        "data": settings.data.model_copy(update={"path": absolute(settings.data.path)}),
        "hardware": settings.hardware.model_copy(update={"latency_table": absolute(settings.hardware.latency_table)}),
        "truth": settings.truth.model_copy(update={"file": absolute(settings.truth.file)}),
    }
    return settings.model_copy(update=updates)

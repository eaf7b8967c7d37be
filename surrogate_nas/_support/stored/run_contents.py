"""The names of what a study writes into its run folder."""

from pathlib import Path

STUDY, LOCK = "study.toml", ".lock"
LOOKUP_FILES = ("lookup.parquet", ".lookup.next.parquet", "lookup.csv", "lookup.json")
RUN_CONTENTS = frozenset(
    {
        "environment.json",
        "space.toml",
        "space.py",
        "images",
        "supernets",
        "near_budgets.json",
        "finalist_latencies.json",
        "labels.h5",
        ".labels.h5.lock",
        "predictor",
        "costs.parquet",
        "search.journal",
        "search.journal.lock",
        ".search.journal.guard",
        *LOOKUP_FILES,
        "answers.json",
        "plots",
        "artifacts",
        "trainings",
        "trainings.h5",
        ".trainings.h5.lock",
        "trainings.journal",
        "trainings.journal.lock",
        ".trainings.journal.guard",
        "best",
        "rivals.json",
        "models",
        "report.html",
        "report.json",
        "state.json",
        "tracking.json",
        "storage.json",
        "tensorboard",
        "mlruns",
        "log.txt",
    }
)
"""What a study makes, and may make again: everything but the study itself."""


def is_of_run(path: Path) -> bool:
    """Returns whether a path is one that a study writes, in a run folder, at any depth."""
    place = path.absolute()
    return any(
        (folder / STUDY).is_file()
        and (folder / "environment.json").is_file()
        and place.relative_to(folder).parts[0] in RUN_CONTENTS | {STUDY}
        for folder in place.parents
    )

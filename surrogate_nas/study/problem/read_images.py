"""The images of a study: read from their source, or taken from the run folder where they are the same."""

from pathlib import Path

from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.data.folders.listing import listing
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import load_images
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.running import Run


def read_images(run: Run) -> DataSplits:
    """Takes the images of the run folder where their source is the same as it was, else reads the source.

    Raises:
        DataError: If the images cannot be used.
        RunFolderError: If they are not those that the run was started with.
        Interrupted: If a stop was requested.
    """
    settings, folder, before = run.settings, run.folder, run.folder.begun_with()
    kept = _kept(folder, run.console) if before is not None else None
    if kept is not None and before is not None and _same_settings(before.data, settings.data):
        if _is_gone(settings.data):
            run.console.warn(f"data.path: {settings.data.path} is gone; the images kept in the run folder are used")
            return kept
        if listing(settings.data.source, settings.data.path) == folder.state.listing:
            return kept
    with run.progress("images", "reading images") as advance:
        splits = load_images(settings.data, settings.seed, advance, folder.path)
    if kept is not None and kept.fingerprint != splits.fingerprint:
        raise RunFolderError(
            f"{folder.path} was started with other images (data) than are in"
            f" {settings.data.path or settings.data.source} now; restore them, or use another --output-dir, or"
            " --overwrite to start over"
        )
    return splits


def keep_images(settings: StudySettings, splits: DataSplits, folder: RunFolder) -> None:
    """Writes the images into the run folder, unless it holds them."""
    try:
        same = folder.images.is_dir() and load_splits(folder.images).fingerprint == splits.fingerprint
    except StoreError:
        same = False
    if not same:
        save_splits(folder.images, splits)
    if not _is_gone(settings.data):
        folder.state.listing = listing(settings.data.source, settings.data.path)


def _kept(folder: RunFolder, console: StudyConsole) -> DataSplits | None:
    if not folder.images.is_dir():
        return None
    try:
        return load_splits(folder.images)
    except StoreError as error:
        console.warn(f"{error}; the images are read again")
        return None


def _same_settings(before: DataSettings, now: DataSettings) -> bool:
    return before.model_copy(update={"memory_gb": now.memory_gb}) == now


def _is_gone(settings: DataSettings) -> bool:
    return settings.source == "folder" and settings.path is not None and not Path(settings.path).exists()

"""Images that changed between the study and the training."""

from surrogate_nas._support.words import count_of
from surrogate_nas.data.folders.listing import listing
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.loading import Progress, divide_images
from surrogate_nas.deploy.train.chosen import Choice


def changes_since(choice: Choice, splits: DataSplits, on_progress: Progress) -> str | None:
    """Returns a warning where the images of a folder changed since the study; None where they did not.

    They are decoded again only where names, sizes or times of the files differ.

    Args:
        choice: Whose study it was.
        splits: The images that the study used.
        on_progress: Called now and then with images decoded and images in all.

    Raises:
        DataError: If the images cannot be used any more.
    """
    settings = choice.settings
    if settings.data.source != "folder":
        return None
    if listing(settings.data.source, settings.data.path) == choice.run.state.listing:
        return None
    now = divide_images(settings.data, settings.seed, on_progress, choice.run.path)
    if now.fingerprint == splits.fingerprint:
        return None
    return (
        f"the images in {settings.data.path} have changed since the study, which used {_size(splits)} (now"
        f" {_size(now)}): the architecture was chosen for other images"
    )


def _size(splits: DataSplits) -> str:
    return count_of(len(splits.train) + len(splits.validation) + len(splits.recalibration), "image")

"""The two networks of a study: the deployed one, whose costs count, and the supernet that is trained."""

from dataclasses import replace

from surrogate_nas._support.words import count_of
from surrogate_nas.data.classes.folds import fold_parts
from surrogate_nas.data.images import DataSplits
from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.problem.label_folds import label_folds
from surrogate_nas.supernet.plan import SupernetPlan, make_plan


def deployed_network(settings: StudySettings, space: Space, splits: DataSplits) -> NetworkSpec:
    """Returns the network that is deployed.

    Raises:
        SettingsError: If its stages cannot halve images of the size that was set.
    """
    sizes, own = settings.network, space.network
    image_size = sizes.image_size or splits.native_image_size
    _require_multiple(space, "network.image_size", image_size)
    return NetworkSpec(
        sizes.channels or own.channels,
        sizes.cells or own.cells,
        image_size,
        splits.channels,
        len(splits.class_names),
        own.stages,
    )


def supernet_plan(settings: StudySettings, space: Space, splits: DataSplits, codes: Codes) -> SupernetPlan:
    """Returns the plan of the supernets, which may be narrower and shallower and see smaller images.

    Args:
        settings: Of the study.
        space: The search space.
        splits: The images.
        codes: Some architectures, shape (N, D), on which operations of the user's own are tried.

    Raises:
        SettingsError: If the stages cannot halve the images, there are fewer images than a batch takes, or the
            supernet's settings do not fit the space, or labels cannot be cross-validated as it was asked.
        DataError: If a class has too few images for the folds that were asked for.
    """
    sizes = settings.supernet
    _require_multiple(space, "data.image_size", splits.image_size)
    network = NetworkSpec(
        sizes.channels,
        sizes.cells,
        splits.image_size,
        splits.channels,
        len(splits.class_names),
        space.network.stages,
    )
    if space.program is not None:
        space.parameters(codes[:1], network)  # an operation that does not fit the supernet is reported now
    plan = make_plan(space, network, sizes, settings.seed)
    folds = label_folds(settings, splits)
    fewest = min(len(parts.train) for parts in fold_parts(splits, folds))
    if sizes.batch_size > fewest:
        where = "" if folds == 1 else f" in one of {folds} folds (labels.folds)"
        raise SettingsError(
            f"too few images: {count_of(fewest, 'image')} to train the supernet on{where}, less than one batch of"
            f" {sizes.batch_size}; add images to every class, or set supernet.batch_size={fewest} at most"
        )
    return replace(plan, folds=folds)


def _require_multiple(space: Space, setting: str, size: int) -> None:
    step, stages = space.image_step, space.network.stages
    if size % step:
        raise SettingsError(
            f"{setting} must be a multiple of {step}, since {stages} stages halve it {stages - 1} times (got"
            f" {size}); set network.image_size and data.image_size, such as {size + -size % step}"
        )

"""Trains off-the-shelf networks as the model of a run is trained, for a comparison on the test images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from surrogate_nas._support.commands import shown
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError
from surrogate_nas.report.facts import Estimate, RivalsFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.rivals.fit import FittedRival, by_strength
from surrogate_nas.rivals.network import RivalNetwork
from surrogate_nas.rivals.records import read_rivals
from surrogate_nas.training.final import FinalJob, Trained

TrainJob = Callable[[FinalJob, str], Trained | None]
"""Trains a job under a title; None where it was stopped."""


def chosen_rivals(request: TrainRequest, choice: Choice) -> list[RivalNetwork]:
    """Returns the rivals that a request trains, at the widths that the study fitted; they were chosen by no test image.

    Raises:
        SettingsError: If the run has no such rival, or it fits no budget, or the model is for other budgets.
        StoreError: If the run's records are damaged.
    """
    if not (request.rivals or request.rival):
        return []
    if not choice.keeps_own_budgets:
        raise SettingsError(
            "--rivals and --rival train networks that fit the study's own budgets; leave the other budget out"
        )
    fitted = read_rivals(choice.run.rivals).fitted
    by_name = {one.network.name: one for one in fitted}
    if not fitted:
        resume = shown("study", "--output-dir", choice.run.path, "--resume")
        raise SettingsError(
            f"the run has no rivals; fit some to its budgets by setting rivals.names: {resume} --set ..."
        )
    unknown = [name for name in request.rival if name not in by_name]
    if unknown:
        raise SettingsError(f"the run has no rival {unknown[0]!r}; it has {', '.join(by_name)}")
    for name in request.rival:
        if not by_name[name].fits:
            raise SettingsError(f"--rival {name}: {by_name[name].network.title} is {by_name[name].reason}")
    named = [by_name[name] for name in request.rival]
    return [one.network for one in _distinct([*named, *by_strength(fitted)[: request.rivals]])]


def _distinct(rivals: Sequence[FittedRival]) -> list[FittedRival]:
    return list({one.network.key: one for one in rivals}.values())


def rival_job(network: RivalNetwork, job: FinalJob, models: Path) -> FinalJob:
    """Returns the training of a rival that is in everything else like another one.

    Args:
        network: The rival.
        job: The training of the model of the run.
        models: Folder of the run's models; a rival gets a folder of its own in it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        built = network.build()
    return replace(
        job,
        network=built,
        checkpoint=rival_folder(network, models) / job.checkpoint.name,
        identity=network.identity,
        record=None,
    )


def rival_folder(network: RivalNetwork, models: Path) -> Path:
    """Returns the folder of a rival's training."""
    return models / f"rival-{network.key}"


def compared_on_test(
    choice: Choice, found: Accuracy, trained: Mapping[RivalNetwork, Accuracy], epochs: int
) -> RivalsFacts | None:
    """Returns the study's table of rivals with accuracies on the test images in place of those of short trainings.

    Args:
        choice: The model's architecture.
        found: Accuracy of the model.
        trained: Accuracy of each trained rival.
        epochs: Length of all of these trainings.

    Returns:
        None where the study compared with no rivals, or the model is for other budgets than they were fitted to.
    """
    report = choice.run.path / "report.json"
    if not choice.keeps_own_budgets or not report.exists():
        return None
    rivals = read_facts(report).rivals
    if rivals is None:
        return None
    by_title = {network.title: _estimate(accuracy) for network, accuracy in trained.items()}
    return replace(
        rivals,
        rivals=tuple(replace(one, accuracy_percent=by_title.get(one.name, Estimate(None))) for one in rivals.rivals),
        found=_estimate(found),
        epochs=epochs if trained else None,
        images=found.images if trained else None,
    )


def _estimate(accuracy: Accuracy) -> Estimate:
    return Estimate(accuracy.percent, accuracy.low, accuracy.high)

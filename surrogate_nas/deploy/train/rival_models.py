"""Trains off-the-shelf networks as the model of a run is trained, for a comparison on the test images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from surrogate_nas._support.commands import shown
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.architectures import Estimate
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.write import JSON_NAME
from surrogate_nas.rivals.fit import FittedRival, by_strength
from surrogate_nas.rivals.results_file import read_rivals
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.training.final import FinalJob
from surrogate_nas.training.recipes import Recipe


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
        raise SettingsError(f"the run has no rivals; name some: {resume} --set 'rivals.names=[...]'")
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
        identity={**network.identity, "teacher": job.identity["teacher"]},
        record=None,
    )


def rival_folder(network: RivalNetwork, models: Path) -> Path:
    """Returns the folder of a rival's training."""
    return models / f"rival-{network.key}"


def study_table(choice: Choice) -> RivalsFacts | None:
    """Returns the study's table of rivals; None where it has none, or the model is for other budgets than they are.

    Raises:
        StoreError: If the report is damaged.
    """
    if not choice.keeps_own_budgets or not choice.run.rivals.exists():
        return None
    return read_facts(choice.run.path / JSON_NAME).rivals


def compared_on_test(
    table: RivalsFacts | None,
    found: Accuracy,
    trained: Mapping[RivalNetwork, Accuracy],
    recipe: Recipe,
    scratch: Recipe,
) -> RivalsFacts | None:
    """Returns the study's table of rivals with accuracies on the test images instead of validation images.

    Args:
        table: The table, if there is one.
        found: Accuracy of the model.
        trained: Accuracy of each trained rival.
        recipe: Recipe of the model.
        scratch: Recipe of the rivals, which begin with random weights.
    """
    if table is None:
        return None
    by_title = {network.title: _estimate(accuracy) for network, accuracy in trained.items()}
    return replace(
        table,
        rivals=tuple(replace(one, accuracy_percent=by_title.get(one.name, Estimate(None))) for one in table.rivals),
        found=_estimate(found) if trained else Estimate(None),
        epochs=recipe.settings.epochs if trained else None,
        rival_epochs=scratch.settings.epochs if trained and scratch != recipe else None,
        pretrained=scratch != recipe,
        images=found.images if trained else None,
    )


def _estimate(accuracy: Accuracy) -> Estimate:
    return Estimate(accuracy.percent, accuracy.low, accuracy.high)

"""A final training from a run folder to the files of a deployed model."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from surrogate_nas._processes.process_group import Processes
from surrogate_nas._support.model_format import CARD, DESCRIPTION, INT8, ONNX
from surrogate_nas._support.optional import require_installed
from surrogate_nas._support.words import count_of
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.final_images import FinalImages, load_final_images
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.chosen import Choice, choose
from surrogate_nas.deploy.train.deliver import Delivery, accuracy_of, deliver
from surrogate_nas.deploy.train.drift import changes_since
from surrogate_nas.deploy.train.inheritance import first_network, inherit_from_run, is_tuned, start_of
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.train.rival_models import chosen_rivals, rival_folder, rival_job, study_table
from surrogate_nas.deploy.train.teacher import teacher_of
from surrogate_nas.deploy.train.tracked_training import tracked_results, tracked_settings
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.errors import ExportError, Interrupted, RunFolderError, SettingsError
from surrogate_nas.export.runtimes.table import RUNTIME_FILES
from surrogate_nas.hardware.measure.timing import torch_threads
from surrogate_nas.hardware.planned.planners import find_planner
from surrogate_nas.nets.standalone import Network
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.runs.compute import resolve_compute
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stoppable
from surrogate_nas.runs.settings import ComputeSettings
from surrogate_nas.runs.tracking import Tracker
from surrogate_nas.space.space import Codes
from surrogate_nas.training.data_parallel import joined, own_device, own_threads, processes_started
from surrogate_nas.training.eight_bits import EightBitJob, tune_for_8_bits
from surrogate_nas.training.final import FinalJob, Trained, train_final
from surrogate_nas.training.recipes import Recipe, final_recipe

CHECKPOINT, TEACHER, TUNED = "training.safetensors", "teacher-{code}.safetensors", "int8-training.safetensors"
LOG = "log.txt"
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class _Training:
    """A training that all of its processes agree on."""

    choice: Choice
    start: Start
    images: FinalImages
    network: Network
    recipe: Recipe
    scratch: Recipe  # of networks that begin with random weights
    seed: int
    device: torch.device
    warnings: tuple[str, ...]
    teacher: Codes | None = None
    rivals: tuple[RivalNetwork, ...] = ()
    table: RivalsFacts | None = None


def run_training(request: TrainRequest, console: StudyConsole, should_stop: ShouldStop) -> ModelFacts | None:
    """Trains and exports; every process that torchrun started calls it.

    Returns:
        Facts about the trained model; None in all processes but the first.

    Raises:
        SettingsError: If the request is wrong or does not fit the run.
        RunFolderError: If there is no run, another process works in it, or a training is in the way.
        Interrupted: If a stop was requested; the checkpoint is saved.
        TrainingError, ExportError, MeasurementError: If that stage fails.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        require_installed(package, "exported models", ExportError)  # not found out after hours
    choice = choose(
        request.run,
        request.budgets,
        request.arch,
        trust_program=request.trust_program,
    )
    find_planner(choice.settings.hardware)  # a missing package is not found out after hours either
    processes = processes_started()
    if not processes.is_first:
        return _run(request, choice, console, should_stop)
    choice.run.take()
    try:
        _check_folder(request, choice)
        return _run(request, choice, console, should_stop)
    finally:
        choice.run.release()


def _check_folder(request: TrainRequest, choice: Choice) -> None:
    checkpoint = choice.folder / CHECKPOINT
    if checkpoint.exists() and not (request.resume or request.overwrite):
        raise RunFolderError(
            f"{choice.folder} already holds a training: continue it or export it again with --resume, start over with"
            " --overwrite"
        )


def _run(request: TrainRequest, choice: Choice, console: StudyConsole, should_stop: ShouldStop) -> ModelFacts | None:
    training = _prepare(request, choice, console, should_stop)
    track = request.track if processes_started().is_first else None
    threads = request.threads or own_threads(choice.network.image_size)
    with (
        torch_threads(threads),  # a caller in Python has its own number back afterwards
        Tracker(track, choice.run.path, f"train-{choice.entry.code}", console) as tracker,
    ):
        return _train_and_deliver(training, request, tracker, console, should_stop)


def _train_and_deliver(
    training: _Training, request: TrainRequest, tracker: Tracker, console: StudyConsole, should_stop: ShouldStop
) -> ModelFacts | None:
    choice = training.choice
    with joined(training.device, should_stop) as processes:
        if processes.is_first:
            if request.overwrite:
                folders = (choice.folder, *(rival_folder(one, choice.run.models) for one in training.rivals))
                checkpoints = [folder / CHECKPOINT for folder in folders]
                for path in (*checkpoints, choice.folder / TUNED, *choice.folder.glob(TEACHER.format(code="*"))):
                    path.unlink(missing_ok=True)
            choice.folder.mkdir(parents=True, exist_ok=True)
            for one in training.rivals:
                rival_folder(one, choice.run.models).mkdir(exist_ok=True)
            console.log_to(choice.folder / LOG)
            _tell(training, console)
            tracker.begin(tracked_settings(request, training.recipe, choice), anew=request.overwrite)
        else:
            console.begin()
        if processes.count > 1:
            torch.distributed.barrier()
        job = _job(training, processes, tracker)
        if training.teacher is not None:
            job = replace(job, teacher=_teacher(training, training.teacher, job, console, should_stop))
        trained = _train(job, console, should_stop)
        tuned = _tune(training, job, trained, console, should_stop)
        rivals = _train_rivals(training, job, console, should_stop)
    if not processes.is_first:
        return None
    parts = (training.recipe, training.scratch, training.seed, training.images, trained, processes, training.warnings)
    delivery = Delivery(request, choice, *parts, rivals, training.table, tuned)
    before = [name for name in (INT8, *RUNTIME_FILES) if (choice.folder / name).exists()]
    with console.progress("export, check, measure") as advance:
        facts = deliver(delivery, advance)
    if gone := [name for name in before if not (choice.folder / name).exists()]:
        console.note(f"removed, as --int8 or --export did not ask for them again: {', '.join(gone)}")
    if tracker.is_open:
        tracker.numbers(tracked_results(facts))
        tracker.files(choice.folder / name for name in (CARD, DESCRIPTION, ONNX, INT8, *RUNTIME_FILES))
    return facts


def _prepare(request: TrainRequest, choice: Choice, console: StudyConsole, should_stop: ShouldStop) -> _Training:
    device = own_device(torch.device(str(resolve_compute(ComputeSettings(device=request.device)).device)))
    asked, settings = request.asked(), choice.settings
    if asked.quantisation_epochs and not request.makes_int8(settings.hardware):
        raise SettingsError(
            "training.quantisation_epochs trains for 8-bit files, and none is asked for; add --int8, or leave it out"
        )
    splits = load_splits(choice.run.images)
    seed = settings.seed if request.seed is None else request.seed
    rivals, table = tuple(chosen_rivals(request, choice)), study_table(choice)
    if request.rivals and not rivals:
        console.warn("no off-the-shelf network was trained: none of the study's keeps its budget")
    start = start_of(request, choice)
    network = first_network(choice, choice.code, seed, start)
    if start == "supernet":
        inherit_from_run(network, choice, splits)
    if "balance" not in asked.model_fields_set:
        asked = asked.model_copy(update={"balance": settings.data.balance})
    teacher = teacher_of(choice, asked)
    with console.progress("images") as advance:
        changed = changes_since(choice, splits, stoppable(advance, should_stop, "reading images"))
        images = load_final_images(
            settings.data,
            settings.seed,
            image_size=choice.network.image_size,
            channels=choice.network.input_channels,
            class_names=splits.class_names,
            folder=choice.run.path,
            on_progress=stoppable(advance, should_stop, "reading images"),
            changed_since=splits if changed else None,
        )
    fitting = partial(
        final_recipe,
        flip=settings.data.flip,
        images=len(images.train),
        image_size=choice.network.image_size,
        given=asked,
    )
    recipe = fitting(tuned=is_tuned(choice, start))
    if recipe.settings.batch_size < processes_started().count:
        raise SettingsError(
            f"{processes_started().count} processes cannot share batches of {recipe.settings.batch_size} images; start"
            " fewer"
        )
    if recipe.settings.shift is not None and recipe.settings.shift >= choice.network.image_size:
        raise SettingsError(
            f"training.shift must be less than the image size, {choice.network.image_size} pixels (got"
            f" {recipe.settings.shift})"
        )
    warnings = (*((changed,) if changed else ()), *images.warnings)
    balance = recipe.settings.balance
    images = replace(images, balance=bool(balance), weighted=balance == "weights")
    scratch = fitting(given=asked.of_random_weights()) if is_tuned(choice, start) else recipe
    return _Training(choice, start, images, network, recipe, scratch, seed, device, warnings, teacher, rivals, table)


def _job(training: _Training, processes: Processes, tracker: Tracker) -> FinalJob:
    choice = training.choice
    return FinalJob(
        training.network,
        training.images,
        training.recipe,
        training.seed,
        choice.folder / CHECKPOINT,
        {
            "space": choice.space.fingerprint,
            "code": choice.entry.code,
            "network": str(choice.network),
            "start": training.start,
            "teacher": _code_of(choice, training.teacher),
        },
        training.device,
        processes,
        lambda epoch, loss: tracker.numbers({"train/loss": loss}, epoch),
    )


def _teacher(
    training: _Training, code: Codes, job: FinalJob, console: StudyConsole, should_stop: ShouldStop
) -> nn.Module:
    """Returns the trained teacher of a job; its checkpoint is in the same folder."""
    choice, name = training.choice, job.identity["teacher"]
    start: Start = "pretrained" if is_tuned(choice, training.start) else "scratch"
    lesson = replace(
        job,
        network=first_network(choice, code, training.seed, start),
        recipe=job.recipe.untaught(),
        checkpoint=choice.folder / TEACHER.format(code=name),
        identity={**job.identity, "code": name, "start": start, "teacher": "none"},
        record=None,
    )
    return _train(lesson, console, should_stop, f"teacher {name}").network


def _code_of(choice: Choice, code: Codes | None) -> str:
    return "none" if code is None else choice.space.digits(code[None])[0]


def _train(job: FinalJob, console: StudyConsole, should_stop: ShouldStop, name: str = "training") -> Trained:
    with console.progress(f"{name} ({count_of(job.recipe.settings.epochs, 'epoch')})") as advance:
        trained = train_final(job, advance, should_stop)
    if trained is None:
        raise Interrupted("stopped while training")
    if not math.isnan(trained.loss):
        console.note(
            f"{name}: {count_of(trained.steps, 'step')} in {trained.precision}, test accuracy"
            f" {trained.accuracy_percent:.2f}%"
        )
    return trained


def _tune(
    training: _Training, job: FinalJob, trained: Trained, console: StudyConsole, should_stop: ShouldStop
) -> Trained | None:
    """Returns the network trained for 8 bits, where the recipe asks for that."""
    epochs, hardware = training.recipe.settings.quantisation_epochs, training.choice.settings.hardware
    if not epochs:
        return None
    tuning = EightBitJob(job, trained.network, epochs, hardware.activations == "signed", training.choice.folder / TUNED)
    with console.progress(f"training for 8 bits ({count_of(epochs, 'epoch')})") as advance:
        tuned = tune_for_8_bits(tuning, advance, should_stop)
    if tuned is None:
        raise Interrupted("stopped while training for 8 bits")
    return tuned


def _train_rivals(
    training: _Training, job: FinalJob, console: StudyConsole, should_stop: ShouldStop
) -> dict[RivalNetwork, Accuracy]:
    """Returns the accuracy of each rival on the test images, after the training that the model had."""
    found: dict[RivalNetwork, Accuracy] = {}
    job = replace(job, recipe=training.scratch)
    for network in training.rivals:
        console.note(f"rival: {network.title}")
        trained = _train(rival_job(network, job, training.choice.run.models), console, should_stop, network.title)
        if job.processes.is_first:
            found[network] = accuracy_of(trained, training.images)
    return found


def _tell(training: _Training, console: StudyConsole) -> None:
    choice, images = training.choice, training.images
    console.note(f"architecture {choice.entry.code}: {choice.entry.architecture}")
    console.note(f"model folder: {choice.folder}")
    console.note(f"images: {len(images.train):,} to train on, {len(images.test):,} to test with")
    for note in images.notes:
        console.note(f"images: {note}")
    for warning in training.warnings:
        console.warn(f"images: {warning}")
    console.note(f"recipe: {training.recipe.words()}")

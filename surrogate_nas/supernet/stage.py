"""Runs all trainings of a supernet plan in their order, in worker processes, from where an earlier run stopped.

    phase 0            cuts             phase 1             cuts             members
    parent      ->  parent.json  ->  parent-0, parent-1  ->  ...  ->  member-0, member-1, ...

Trainings of a phase run side by side, and several processes may share each of them. Every training has a checkpoint in
the stage's folder and every cut by gradients a JSON file next to it; both follow from seed, data and settings alone, so
a missing file is made again with the same content.
"""

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import OthersEndedError, Processes
from surrogate_nas._processes.workers import Workers
from surrogate_nas._support.words import count_of
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import Interrupted, SettingsError, TrainingError
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.gradient_matching import cut_member, cut_steps
from surrogate_nas.supernet.phases import Phase, Training
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.splits.gradient_cuts import Cut, boxes_after, read_cut
from surrogate_nas.supernet.training import TrainingJob, train_member, training_identity

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
_MEETING = ".meeting"


@dataclass(frozen=True)
class Craft:
    """The work of a stage on each of its trainings.

    Attributes:
        train: Runs a training to its last step, and returns whether it got there.
        cut: Finds where to cut the subspace of a finished training in two; None where it was stopped.
        title: Trainings in the plural, for the progress bar.
        doing: The work in words, for a stop.
    """

    train: Callable[..., bool] = train_member
    cut: Callable[..., Cut | None] = cut_member
    title: str = "supernets"
    doing: str = "training supernets"


@dataclass(frozen=True)
class Workplace:
    """Folders and devices that the trainings of a stage use, and the identity of the stage.

    Attributes:
        folder: Folder of checkpoints and cuts.
        images: Folder of cached images.
        data: How images are augmented.
        identity: What the stage belongs to.
        device: Torch device.
        threads: Threads of each process.
        craft: Work on each training.
        sharing: Number of processes that share each training.
    """

    folder: Path
    images: Path
    data: DataSettings
    identity: dict[str, str]
    device: str = "cpu"
    threads: int = 1
    craft: Craft = Craft()
    sharing: int = 1

    def job(self, plan: SupernetPlan, training: Training) -> TrainingJob:
        """Returns one training at this place."""
        return TrainingJob(
            plan, training, self.images, self.data, self.folder, self.identity, self.device, self.threads
        )


def known_plan(plan: SupernetPlan, folder: Path, identity: dict[str, str]) -> SupernetPlan:
    """Returns the plan with all cuts that were found before.

    Raises:
        StoreError, RunFolderError: If a cut is damaged or belongs to something else.
    """
    for phase in plan.phases[:-1]:
        if plan.is_decided(phase[0].level + 1):
            continue
        if not all((folder / training.cut_file).exists() for training in phase):
            break
        boxes = boxes_after(plan.space, plan.cuts, phase[0].level)
        found = [
            read_cut(
                folder / training.cut_file,
                plan.space,
                box,
                training_identity(plan, training, identity),
            )
            for training, box in zip(phase, boxes, strict=True)
        ]
        plan = plan.with_cuts((*plan.cuts, *found))
    return plan


def steps_done(plan: SupernetPlan, training: Training, folder: Path, identity: dict[str, str]) -> int | None:
    """Returns the number of a training's own steps that are done; ``None`` where there is no checkpoint.

    Raises:
        StoreError, RunFolderError: If the checkpoint is damaged or belongs to something else.
    """
    path = folder / training.file
    if not path.exists():
        return None
    return load_checkpoint(path, training_identity(plan, training, identity)).step - training.first_step


def check_stage(plan: SupernetPlan, folder: Path, identity: dict[str, str]) -> None:
    """Opens every file that earlier processes left.

    Raises:
        StoreError, RunFolderError: If a file is damaged or belongs to something else.
    """
    plan = known_plan(plan, folder, identity)
    for phase in plan.phases:
        if not plan.is_decided(phase[0].level):
            break  # its subspaces are not known, so none of its trainings can have begun
        for training in phase:
            steps_done(plan, training, folder, identity)


def train_stage(
    plan: SupernetPlan,
    place: Workplace,
    workers: Workers,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> SupernetPlan:
    """Runs every missing part of a plan, to the last step of every member.

    A parent whose children have all begun is no longer needed, and is not trained again.

    Args:
        plan: The plan.
        place: Folders and devices to use.
        workers: Do the work.
        progress: Returns, for a title, a context that yields a function of the steps done and the steps in total.
        should_stop: Called a few times a second.

    Returns:
        The plan with its subspaces known.

    Raises:
        Interrupted: If a stop was requested; everything done is kept.
        SettingsError: If there are fewer workers than are to share a training.
        TrainingError: If a loss is not finite, a worker dies, or a checkpoint cannot be written.
        StoreError, RunFolderError: If an existing file is damaged or belongs to something else.
    """
    if workers.processes < place.sharing:
        raise SettingsError(
            f"compute.processes_per_supernet = {place.sharing}, and there are {workers.processes} worker processes"
            " only: set compute.processes higher, give the cluster more machines, or lower it"
        )
    for left in place.folder.glob(f"*{_MEETING}"):  # by processes that were killed
        left.unlink(missing_ok=True)
    plan = known_plan(plan, place.folder, place.identity)
    with progress(f"{place.craft.title} ({_length(plan)})") as advance:
        crew = _Crew(workers, should_stop, advance, _all_steps(plan), place.craft.doing)
        for phase in plan.phases:
            _train_phase(plan, phase, place, crew)
            plan = _cut_phase(plan, phase, place, crew)
        crew.show(0)
    return plan


def _length(plan: SupernetPlan) -> str:
    """Returns how many steps all trainings take, for a title."""
    trainings = [training for phase in plan.phases for training in phase]
    if len({training.steps for training in trainings}) == 1:
        return f"{len(trainings)} x {count_of(trainings[0].steps, 'step')}"
    return f"{count_of(sum(training.steps for training in trainings), 'step')} in all"


def is_trained(plan: SupernetPlan, folder: Path, identity: dict[str, str]) -> bool:
    """Returns whether everything that labels need is at its last step, and the subspaces are known."""
    plan = known_plan(plan, folder, identity)
    needed = (*plan.phases[-1], *(plan.phases[-2] if plan.asks_parents else ()))
    return plan.is_known and all(steps_done(plan, training, folder, identity) == training.steps for training in needed)


class _Left(Enum):
    """Outcome of a process that was left by the others of its training."""

    ALONE = "alone"


_Outcome = bool | Cut | _Left | None


@dataclass
class _Crew:
    """Workers, and a progress bar over several of their runs.

    Attributes:
        workers: Do the work.
        should_stop: Called a few times a second.
        advance: Called with the steps done and the steps in total.
        total: Steps in total.
        doing: The work in words.
        done: Steps done before the current run.
    """

    workers: Workers
    should_stop: Callable[[], bool]
    advance: Callable[[int, int], None]
    total: int
    doing: str
    done: int = 0

    def show(self, more: int) -> None:
        """Shows the progress of the current run, added to what was done before it."""
        self.advance(self.done + more, self.total)

    def run(
        self,
        task: Callable[..., _Outcome],
        jobs: Sequence[TrainingJob],
        begun: int,
        on_death: Callable[[int, str], None] | None = None,
    ) -> None:
        """Runs a task on jobs until all end; earlier processes have done a part of it."""
        self.show(begun)
        if not jobs:
            return
        results: dict[int, _Outcome] = {}
        self.workers.run(
            task,
            jobs,
            on_result=results.__setitem__,
            # Workers count the steps of earlier processes too, once they have read their checkpoints.
            on_progress=lambda done: self.show(max(done, begun)),
            should_stop=self.should_stop,
            on_death=on_death,
        )
        left_alone = _Left.ALONE in results.values()
        if left_alone and not self.should_stop():
            raise TrainingError("the processes that share a supernet lost each other; run again with --resume")
        if left_alone or len(results) < len(jobs) or not all(results.values()):
            raise Interrupted(f"stopped while {self.doing}")


@dataclass(frozen=True)
class _Part:
    """The work of one of the processes that share a training."""

    train: Callable[..., bool]

    def __call__(self, job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool | _Left:
        """Returns whether the training is complete; an error is raised by the process that ended first alone."""
        try:
            return self.train(job, report, stopped)
        except OthersEndedError:
            return _Left.ALONE


def _train_shared(trainings: Sequence[Training], plan: SupernetPlan, place: Workplace, crew: _Crew, begun: int) -> None:
    """Runs some trainings, each of them in several processes at once."""
    place.folder.mkdir(parents=True, exist_ok=True)
    files = [place.folder / f"{training.file}-{uuid.uuid4().hex}{_MEETING}" for training in trainings]
    jobs = [
        replace(place.job(plan, training), meeting=Meeting(file, Processes(rank, place.sharing)))
        for training, file in zip(trainings, files, strict=True)
        for rank in range(place.sharing)
    ]

    def died(_position: int, how: str) -> None:
        raise TrainingError(f"one of the {place.sharing} processes that share a supernet died: {how}")

    try:
        crew.run(_Part(place.craft.train), jobs, begun, died)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _train_phase(plan: SupernetPlan, phase: Phase, place: Workplace, crew: _Crew) -> None:
    """Runs the trainings of a phase that are missing and needed."""
    needed = [training for training in phase if _is_needed(plan, training, place)]
    begun = {each.name: steps_done(plan, each, place.folder, place.identity) or 0 for each in needed}
    missing = [
        training
        for training in needed
        if begun[training.name] < training.steps or not (place.folder / training.file).exists()
    ]
    crew.done += sum(training.steps for training in phase if training not in missing)
    # Processes that share a training have to run at the same time, so no more trainings begin than there is room for.
    room = len(missing) if place.sharing == 1 else crew.workers.processes // place.sharing
    for first in range(0, max(1, len(missing)), max(1, room)):
        trainings = missing[first : first + room]
        done = sum(begun[each.name] for each in trainings)
        if place.sharing == 1:
            crew.run(place.craft.train, [place.job(plan, training) for training in trainings], done)
        else:
            _train_shared(trainings, plan, place, crew, done)
        crew.done += sum(training.steps for training in trainings)


def _cut_phase(plan: SupernetPlan, phase: Phase, place: Workplace, crew: _Crew) -> SupernetPlan:
    """Finds the cuts of a phase of parents that do not exist yet."""
    cut = [training for training in phase if plan.is_cut(training)]
    if not cut:
        return plan
    each = cut_steps(plan, phase[0].level)
    missing = [job for job in (place.job(plan, training) for training in cut) if not job.cut.exists()]
    crew.done += each * (len(cut) - len(missing))
    crew.run(place.craft.cut, missing, 0)
    crew.done += each * len(missing)
    return known_plan(plan, place.folder, place.identity)


def _is_needed(plan: SupernetPlan, training: Training, place: Workplace) -> bool:
    """Returns whether a training must be complete for what is missing."""
    if training.level + 1 == len(plan.phases):
        return True
    if plan.asks_parents and training.level + 2 == len(plan.phases):
        return True
    if plan.is_cut(training) and not (place.folder / training.cut_file).exists():
        return True
    children = [child for child in plan.phases[training.level + 1] if child.parent == training.name]
    return any(not (place.folder / child.file).exists() and _is_needed(plan, child, place) for child in children)


def _all_steps(plan: SupernetPlan) -> int:
    trainings = [training for phase in plan.phases for training in phase]
    cuts = sum(cut_steps(plan, training.level) for training in trainings if plan.is_cut(training))
    return cuts + sum(training.steps for training in trainings)

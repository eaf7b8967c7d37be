"""Compares the answer with off-the-shelf networks: fits them to the budgets, and trains the best if asked to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from torch import nn

from surrogate_nas._support.words import count_of, first_line
from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.errors import (
    Interrupted,
    MeasurementError,
    SettingsError,
    SurrogateNasError,
    TrainingError,
    WriteError,
)
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.labels.store import LabelStore
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.rivals.fit import COUNTED, Terms, by_strength, fit_rivals
from surrogate_nas.rivals.results_file import (
    Comparison,
    RivalRecords,
    TrainedRecord,
    read_rivals,
    verdict,
    write_rivals,
)
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.study.findings import FinalistChoice, Findings, RivalFindings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.network_trainings import known_trainings, network_of, training_job, training_steps
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.training.train_network import NetworkJob, TrainedNetwork, train_network

_MOST_DEATHS = 3  # of the worker processes of one training


class CompareRivals(Stage):
    """Fits off-the-shelf networks to the budgets, and trains the best of them as finalists were trained."""

    name = "rivals"
    inputs = (Problem, FinalistChoice)
    timing = Timing.ANEW

    def check(self, problem: Problem, run: Run) -> None:
        """Refuses rivals that are not installed, and trainings of none.

        Raises:
            SettingsError: If settings do not fit together.
            StoreError: If the records of an earlier process are damaged.
        """
        settings = problem.settings.rivals
        missing = [name for name in settings.chosen() if not RIVALS[name].is_installed]
        if missing:
            raise SettingsError(f"rivals.names has {missing[0]}, which needs {RIVALS[missing[0]].package}; install it")
        if settings.train and not settings.chosen():
            raise SettingsError(f"--rivals {settings.train} has no networks to train; set rivals.names to some")
        read_rivals(run.folder.rivals)

    def reuse(self, findings: Findings, run: Run) -> Findings | None:
        """Returns what an earlier process found at the same budgets; compares with nothing where none are named."""
        problem, choice = findings[Problem], findings[FinalistChoice]
        if not problem.settings.rivals.chosen():
            return Findings(RivalFindings())
        records = read_rivals(run.folder.rivals)
        if records.inputs != _inputs(problem, choice):
            return None
        wanted = _wanted(problem, records)
        needed = {_digits(problem, choice), *(one.key for one in wanted)} if wanted else set[str]()
        if needed - set(records.trained) or (wanted and _compared(problem, choice, wanted, records) != records):
            return None
        return _found(problem, records, wanted)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Fits, trains and compares what no earlier process has."""
        problem, choice = findings[Problem], findings[FinalistChoice]
        records = _fitted(problem, choice, run)
        wanted = _wanted(problem, records)
        if wanted:
            records = _trained(wanted, choice, problem, run, records)
            records = _compared(problem, choice, wanted, records)
            write_rivals(run.folder.rivals, records)
        return _found(problem, records, wanted)


def _found(problem: Problem, records: RivalRecords, wanted: Sequence[RivalNetwork]) -> Findings:
    return Findings(RivalFindings(records, tuple(one.key for one in wanted), _unknown(problem)))


def _digits(problem: Problem, choice: FinalistChoice) -> str:
    """Returns the code by which the chosen architecture is trained: without dead operations."""
    return problem.space.digits(problem.space.effective(choice.code))[0]


# Fitting


def _fitted(problem: Problem, choice: FinalistChoice, run: Run) -> RivalRecords:
    """Returns records with rivals fitted to the present budgets, by an earlier process or by this one."""
    records, inputs = read_rivals(run.folder.rivals), _inputs(problem, choice)
    if records.inputs == inputs:
        return records
    terms, beside = _terms(problem, choice), dict[str, Measurement]()
    names = problem.settings.rivals.chosen()
    measures = problem.settings.rivals.measure and bool(choice.measured)
    with run.progress(f"rivals ({count_of(len(names), 'network')})", "fitting rivals") as advance:
        measure = partial(_measure, problem, choice, beside) if measures else None
        fitted = fit_rivals(names, terms, measure, advance)
    records = replace(records, inputs=inputs, fitted=tuple(fitted), beside=beside.get(_beside_name(problem, choice)))
    write_rivals(run.folder.rivals, records)
    return records


def forget_fitted(folder: RunFolder) -> None:
    """Lets rivals be fitted and measured again, and keeps their trainings.

    Raises:
        StoreError: If the file of an earlier process is damaged.
    """
    if folder.rivals.exists():
        write_rivals(folder.rivals, replace(read_rivals(folder.rivals), inputs=""))


def _inputs(problem: Problem, choice: FinalistChoice) -> str:
    """Returns the hash of what rivals are fitted to; latencies count with the time of their measurement.

    Rivals that are measured are measured in turns with the answer.
    """
    settings = problem.settings
    measured = settings.rivals.measure and bool(choice.measured)
    return digest(
        {
            "budgets": {budget.cost: budget.limit for budget in problem.budgets},
            "latency": problem.table.describe()["latency_ms"],
            "rivals": settings.rivals.chosen(),
            "measure": settings.rivals.measure,
            "seconds": settings.rivals.seconds if measured else None,
            "interface": str(_interface(problem)),
            "beside": _digits(problem, choice) if measured else None,
            # With a table of latencies nothing else tells it, and sizes in memory depend on it.
            **({"precision": precision} if (precision := settings.hardware.precision) != "float32" else {}),
        }
    )


def _interface(problem: Problem) -> Interface:
    deployed = problem.deployed
    return Interface(deployed.input_channels, deployed.image_size, deployed.classes)


def _terms(problem: Problem, choice: FinalistChoice) -> Terms:
    limits = {budget.cost: budget.limit for budget in problem.budgets}
    measures = problem.settings.rivals.measure and choice.measured_ms is not None
    macs = float(problem.costs["flops"][problem.pool.rows(choice.code)[0]])
    return Terms(
        _interface(problem),
        {cost: limit for cost, limit in limits.items() if cost in COUNTED},
        limits.get("latency_ms") if measures else None,
        (choice.measured_ms or 1.0) / macs,
        problem.settings.rivals.seconds,
        problem.settings.hardware.precision,
    )


def _unknown(problem: Problem) -> tuple[str, ...]:
    """Returns the budgeted costs that cannot be known of a rival, such as latencies of another device."""
    known = [*COUNTED]
    if problem.cost_model.can_measure and problem.settings.rivals.measure:
        known.append("latency_ms")
    return tuple(budget.cost for budget in problem.budgets if budget.cost not in known)


def _measure(
    problem: Problem, choice: FinalistChoice, beside: dict[str, Measurement], networks: Sequence[RivalNetwork]
) -> dict[str, Measurement]:
    """Measures rivals in turns with the chosen architecture, without the rivals that the back-end cannot run."""
    code = problem.space.effective(choice.code)[0]
    builders: dict[str, Callable[[], nn.Module]] = {one.measured_as: one.build for one in networks}
    builders[_beside_name(problem, choice)] = partial(build_network, problem.space, code, problem.deployed)
    measured = dict[str, Measurement]()
    try:
        measured |= problem.cost_model.measure_modules(builders)
    except MeasurementError:
        # One of them cannot be run, and the others are not to suffer for it.
        for name, build in builders.items():
            try:
                measured |= problem.cost_model.measure_modules({name: build})
            except MeasurementError:
                continue
    beside |= {name: one for name, one in measured.items() if name == _beside_name(problem, choice)}
    return {one.key: measured[one.measured_as] for one in networks if one.measured_as in measured}


def _beside_name(problem: Problem, choice: FinalistChoice) -> str:
    return f"beside rivals:{_digits(problem, choice)}"


# Training


def _wanted(problem: Problem, records: RivalRecords) -> list[RivalNetwork]:
    """Returns the rivals to train: those that fit every budget, the strongest first."""
    if _unknown(problem):
        return []
    return [one.network for one in by_strength(records.fitted)[: problem.settings.rivals.train]]


def _trained(
    wanted: Sequence[RivalNetwork], choice: FinalistChoice, problem: Problem, run: Run, records: RivalRecords
) -> RivalRecords:
    """Returns records with rivals and the chosen architecture trained by the recipe of finalists.

    Raises:
        Interrupted: If a stop was requested; finished trainings and checkpoints are kept.
        TrainingError: If worker processes die again and again, or the chosen architecture cannot be trained.
    """
    records = _with_answer(problem, choice, run, records)
    jobs = dict(_jobs(wanted, choice, problem, run))
    jobs = {key: job for key, job in jobs.items() if key not in records.trained}
    if not jobs:
        return records
    keys, steps = list(jobs), training_steps(problem, problem.settings.training.epochs)
    deaths = dict.fromkeys(keys, 0)

    def keep(position: int, outcome: TrainedNetwork | str | None) -> None:
        nonlocal records
        if outcome is not None:
            records = records.with_trained(keys[position], _record(outcome, problem))
            write_rivals(run.folder.rivals, records)

    def count_death(position: int, how: str) -> None:
        deaths[keys[position]] += 1
        if deaths[keys[position]] >= _MOST_DEATHS:
            raise TrainingError(
                f"the training of {keys[position]} ended its process {_MOST_DEATHS} times; the last time, {how}"
            )

    run.folder.networks.mkdir(exist_ok=True)
    with run.console.progress(f"rivals ({count_of(len(keys), 'training')} x {count_of(steps, 'step')})") as advance:
        run.workers.run(
            train_or_say_why,
            list(jobs.values()),
            on_result=keep,
            on_progress=lambda done: advance(done, max(1, len(keys) * steps)),
            should_stop=run.should_stop,
            on_death=count_death,
        )
    run.workers.close()
    if any(key not in records.trained for key in keys):
        raise Interrupted("stopped while training rivals")
    return records


def train_or_say_why(
    job: NetworkJob, report: Callable[[int], None], stopped: Callable[[], bool]
) -> TrainedNetwork | str | None:
    """Trains a network; returns why where that fails, since one rival that cannot be trained ends no study.

    Raises:
        TrainingError: If a checkpoint cannot be written: that is not the network's fault, and may be mended.
    """
    try:
        return train_network(job, report, stopped)
    except TrainingError as error:
        if isinstance(error.__cause__, WriteError):
            raise
        return first_line(error)
    except (SurrogateNasError, RuntimeError) as error:
        return first_line(error)


def _jobs(
    wanted: Iterable[RivalNetwork], choice: FinalistChoice, problem: Problem, run: Run
) -> Iterable[tuple[str, NetworkJob]]:
    """Yields the trainings by their key among records: the chosen architecture, then the rivals."""
    epochs, code = problem.settings.training.epochs, problem.space.effective(choice.code)
    digits = problem.space.digits(code)[0]
    yield digits, training_job(network_of(problem, code[0], run.folder), problem, run.folder, f"{digits}-{epochs}")
    for one in wanted:
        job = training_job(one, problem, run.folder, f"{one.key}-{epochs}")
        yield one.key, job if problem.first_weights is None else replace(job, settings=job.settings.of_random_weights())


def _with_answer(problem: Problem, choice: FinalistChoice, run: Run, records: RivalRecords) -> RivalRecords:
    """Returns records with the chosen architecture among the trained networks, if it was trained as a finalist."""
    digits = _digits(problem, choice)
    with LabelStore.open_or_create(run.folder.trainings, problem.label_identity) as store:
        known = known_trainings(problem, store.read())
    before = records.trained.get(digits)
    if digits not in known or (before is not None and before.accuracy_percent is not None):
        return records
    return records.with_trained(digits, _of_images(known[digits], problem))


def _record(outcome: TrainedNetwork | str, problem: Problem) -> TrainedRecord:
    if isinstance(outcome, str):
        return TrainedRecord(None, reason=outcome)
    return _of_images(outcome.accuracy_percent, problem)


def _of_images(percent: float, problem: Problem) -> TrainedRecord:
    images = images_behind(problem.splits.validation.labels, by_class=problem.splits.balance)
    accuracy = Accuracy.of(round(percent * images / 100, 6), images)
    return TrainedRecord(accuracy.percent, accuracy.low, accuracy.high)


# Comparing


def _compared(
    problem: Problem, choice: FinalistChoice, wanted: Sequence[RivalNetwork], records: RivalRecords
) -> RivalRecords:
    """Returns records with the chosen architecture compared to the best trained rival, where both could be trained."""
    found = records.trained[_digits(problem, choice)]
    done = {one: records.trained[one.key] for one in wanted}
    best = max(done, key=lambda one: done[one].accuracy_percent or -1.0)
    mine, its = found.accuracy_percent, done[best].accuracy_percent
    if mine is None or its is None:
        return records
    limits, better = {budget.cost: budget.limit for budget in problem.budgets}, verdict(found, done[best])
    code = problem.space.digits(choice.code)[0]
    return records.with_comparison(Comparison(limits, code, mine, best.title, its, better))

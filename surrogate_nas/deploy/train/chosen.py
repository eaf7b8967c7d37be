"""The architecture of a run that is trained, and what the run knows about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate_nas._support.commands import shown
from surrogate_nas._support.files import read_json
from surrogate_nas.costs.cost import BOUNDED, COSTS, upper_of
from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError, StoreError
from surrogate_nas.lookup.entry import Entry, half_interval, label_error_of
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import read_resolved
from surrogate_nas.space.load import load_stored_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class Choice:
    """An architecture of a run.

    Attributes:
        run: The run folder.
        settings: Of the study.
        space: The search space.
        network: Sizes of the deployed network.
        entry: Row of the architecture in the lookup table.
        half_width: Half of the 95% interval of its predicted accuracy, in percent; None where nothing is known.
        basis: What predicted accuracies of the run are of, such as ``"with shared weights"``.
        budgets: Bounds that it was chosen for, by cost.
        device: Device of the run's latencies.
        conditions: Runtime, machine, threads and batch of the run's latencies, or their table; empty in older runs.
        is_answer: Whether it is the study's own answer.
        keeps_own_budgets: Whether the budgets are the study's own.
    """

    run: RunFolder
    settings: StudySettings
    space: Space
    network: NetworkSpec
    entry: Entry
    half_width: float | None
    basis: str
    budgets: Mapping[str, float]
    device: str
    conditions: str
    is_answer: bool
    keeps_own_budgets: bool = True

    @property
    def code(self) -> Codes:
        """The effective code, shape (D,): what is deployed has no dead operations."""
        effective: Codes = self.space.effective(self.space.parse(self.entry.code).reshape(1, -1))[0]
        return effective

    @property
    def folder(self) -> Path:
        """The folder of the trained model."""
        return self.run.models / self.entry.code


def choose(
    path: Path,
    budgets: Mapping[str, str | None] | None = None,
    arch: str | None = None,
    *,
    trust_program: bool = False,
) -> Choice:
    """Returns the answer of the study in a run folder, the best under other budgets, or a given architecture.

    Args:
        path: The run folder.
        budgets: Key of a cost to its bound, such as ``{"latency": "3ms"}`` or ``{"flops": "40%"}``.
        arch: A code or an architecture's text.
        trust_program: Whether to run the program of the space, even if it was never run on this machine.

    Raises:
        ProgramError: If the space has one that may not be run.
        SettingsError: If both are given, or the architecture is none of the space or computes nothing.
        RunFolderError: If there is no finished run.
        InfeasibleBudgetError: If nothing meets the budget.
    """
    asked = {key: text for key, text in (budgets or {}).items() if text is not None}
    if asked and arch is not None:
        option = COSTS[BOUNDED[next(iter(asked))]].option
        raise SettingsError(f"{option} and --arch exclude each other; use one of them")
    run = RunFolder(path)
    if not run.study.is_file():
        if (around := RunFolder(path.absolute().parent)).study.is_file():
            raise RunFolderError(f"{path} is a part of a run folder; give the run folder: {around.path}")
        command = shown("study", "images32", "--data", "FOLDER", "--output-dir", path)
        raise RunFolderError(f"{path} is not a run folder; make one with: {command}")
    settings, space, table = read_resolved(run.study, {}), _space(run, trust_program), LookupTable.load(path)
    answer = table.metadata.answer
    limits = dict(table.metadata.budgets)
    if arch is not None:
        entry = _entry_of(table, space, arch)
    elif asked:
        bounds = table.resolve(**{BOUNDED[key]: text for key, text in asked.items()})
        entry = table.best_for(bounds)
        plain = {upper_of(cost): cost for cost in table.costs}
        limits = {plain.get(bound.cost, bound.cost): bound.limit for bound in bounds}
    elif answer is not None:
        entry = _entry_of(table, space, answer)
    else:
        raise RunFolderError(f"the study in {path} has no answer; give a budget, such as --latency-budget, or --arch")
    return Choice(
        run,
        settings,
        space,
        table.metadata.deployed(run.path),
        entry,
        _half_width(run, table, entry),
        f"{table.metadata.accuracy_basis}, mean over classes"
        if settings.data.balance
        else table.metadata.accuracy_basis,
        limits,
        table.metadata.device,
        table.metadata.conditions,
        entry.code == answer,
        not asked,
    )


def _space(run: RunFolder, trust_program: bool) -> Space:
    remedy = None if trust_program else "read it, and if you trust it run this again with --trust-program"
    return load_stored_space(run.path, remedy)


def _entry_of(table: LookupTable, space: Space, text: str) -> Entry:
    try:
        code = space.parse(text).reshape(1, -1)
    except SpaceError as error:
        raise SettingsError(f"--arch: {error}") from None
    return table.find(space.digits(code)[0])


def _half_width(run: RunFolder, table: LookupTable, entry: Entry) -> float | None:
    half = table.half_interval_percent(entry)
    return _half_width_by_report(run, entry) if half is None else half


def _half_width_by_report(run: RunFolder, entry: Entry) -> float | None:
    """Returns half of the interval in an older run, whose table lacks the error of labels, from its report."""
    report: dict[str, Any] = read_json(run.path / "report.json", "report of the run", "run the study again")
    try:
        chosen = report.get("answer", {}).get("chosen")
        if not chosen or chosen["accuracy_percent"]["high"] is None or chosen.get("accuracy_std") is None:
            return None
        low, value, high = (float(chosen["accuracy_percent"][name]) for name in ("low", "value", "high"))
        # An interval is cut off at 0 and 100%, so that the wider side is what was added.
        half = max(high - value, value - low)
        label_error = label_error_of(half, float(chosen["accuracy_std"]))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the report of the run is damaged: {run.path}: {error!r:.80}; run the study again") from None
    return half_interval(entry.accuracy_std_percent, label_error)

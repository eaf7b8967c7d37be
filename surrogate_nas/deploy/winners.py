"""Finalists of a study that are measured on their device: the networks, and their measurements beside predictions."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surrogate_nas._support.words import shown
from surrogate_nas.costs.cost import cost_on, split_cost
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.transfer.device_results import RemoteResults
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.report.facts.architectures import ArchitectureFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.write import JSON_NAME
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.study_file import read_resolved
from surrogate_nas.space.load import load_stored_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class Winners:
    """Finalists of a study, the best first.

    Attributes:
        space: The search space.
        network: Sizes of the deployed network.
        batch: Images per forward pass.
        finalists: What the study knows of each.
        codes: Their effective codes, shape (N, D).
        numbers: What the deployed network computes with.
    """

    space: Space
    network: NetworkSpec
    batch: int
    finalists: tuple[ArchitectureFacts, ...]
    codes: Codes
    numbers: Numbers = "float32"


@dataclass(frozen=True)
class ComparedLatency:
    """Latency of a finalist, in milliseconds.

    Attributes:
        code: The architecture.
        predicted: Of the study.
        budget: Its bound; None where the study has none on latency.
        measured: On the device; None where the measurement never settled.
    """

    code: str
    predicted: float | None
    budget: float | None
    measured: float | None

    @property
    def within(self) -> bool:
        """True if the measurement keeps the budget."""
        return self.measured is not None and (self.budget is None or self.measured <= self.budget)


def is_run(folder: Path) -> bool:
    """Returns whether a folder is the run folder of a finished study."""
    return (folder / JSON_NAME).is_file() and RunFolder(folder).study.is_file()


def read_winners(folder: Path) -> Winners:
    """Returns the finalists of the study in a run folder.

    Raises:
        SettingsError: If nothing met its budgets.
        SurrogateNasError: If the folder holds no finished study, or is damaged.
    """
    about, facts = LookupTable.load(folder).metadata, read_facts(folder / JSON_NAME)
    space = load_stored_space(folder, "read it, and run one of the commands on this run with --trust-program")
    if not facts.answer.finalists:
        raise SettingsError(f"the study in {folder} has no finalists to measure: nothing met its budgets")
    codes = space.effective(np.array([space.parse(one.digits) for one in facts.answer.finalists]))
    _, first = np.unique(codes, axis=0, return_index=True)
    kept = np.sort(first)
    finalists = tuple(facts.answer.finalists[row] for row in kept)
    network, numbers = about.deployed(folder), _numbers(folder)
    return Winners(space, network, about.batch_size, finalists, codes[kept], numbers)


def _numbers(folder: Path) -> Numbers:
    return read_resolved(RunFolder(folder).study, {}).hardware.numbers


def compared(winners: Winners, results: RemoteResults) -> list[ComparedLatency]:
    """Returns the latency of every finalist, the best finalist first.

    Raises:
        CostTableError: If the results are of networks of other sizes or numbers, or of other architectures.
    """
    if results.facts["network"] != winners.network.described():
        raise CostTableError("the results are of networks of other sizes than the study's; export its finalists again")
    if results.facts["dtype"] != winners.numbers:
        raise CostTableError(
            f"the results are of networks in {results.facts['dtype']}, but the study deploys {winners.numbers}; export"
            " its finalists again"
        )
    if results.facts["batch"] != str(winners.batch):
        raise CostTableError(
            f"the results are of batches of {results.facts['batch']}, but the study's budget is of batches of"
            f" {winners.batch}; export its finalists again"
        )
    measured = dict(zip(winners.space.digits(results.codes), results.median_ms.tolist(), strict=True))
    digits = winners.space.digits(winners.codes)
    if not measured.keys() & set(digits):
        raise CostTableError("the results hold none of the study's finalists; export its finalists again")
    return [
        ComparedLatency(one.digits, *_latency(one, results.device), measured.get(code))
        for one, code in zip(winners.finalists, digits, strict=True)
    ]


def first_within(latencies: Iterable[ComparedLatency]) -> ComparedLatency | None:
    """Returns the best finalist whose measurement keeps the budget."""
    return next((one for one in latencies if one.within), None)


def _latency(facts: ArchitectureFacts, device: str) -> tuple[float | None, float | None]:
    """Returns prediction and budget of a finalist's latency on a device: the study's own, unless it names this one."""
    found = {cost.cost: (cost.predicted, cost.budget) for cost in facts.costs}
    named = [of for name in found if (of := split_cost(name)[1]) is not None and name.startswith("latency_ms")]
    if named and device not in named:
        raise CostTableError(
            f"the results are of {shown(device)}, and the study's latencies of {', '.join(named)}: give the device one"
            " of these names where it is measured"
        )
    return found.get(cost_on("latency_ms", device)) or found.get("latency_ms", (None, None))

"""Finalists of a study that are measured on their device: the networks, and their measurements beside predictions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surrogate_nas._support.words import count_of, shown
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
        device: Whose latencies the study has, besides devices that its costs name.
        of_table: True if they are from a table.
        threads: CPU threads with which they were measured; None from a table, which does not say.
    """

    space: Space
    network: NetworkSpec
    batch: int
    finalists: tuple[ArchitectureFacts, ...]
    codes: Codes
    numbers: Numbers = "float32"
    device: str = ""
    of_table: bool = False
    threads: int | None = None


@dataclass(frozen=True)
class ComparedLatency:
    """Latency of a finalist, in milliseconds.

    Attributes:
        code: The architecture.
        predicted: Of the study.
        budget: Its bound; None where the study has none on latency.
        measured: On the device; None where there is none.
        noisy: True if there is none since the measurement never settled.
    """

    code: str
    predicted: float | None
    budget: float | None
    measured: float | None
    noisy: bool = False

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
    network, hardware = about.deployed(folder), read_resolved(RunFolder(folder).study, {}).hardware
    of_table = hardware.latency_table is not None
    threads = None if of_table else hardware.threads
    kept_codes = codes[kept]
    return Winners(
        space, network, about.batch_size, finalists, kept_codes, hardware.numbers, about.device, of_table, threads
    )


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
    unsettled = set(winners.space.digits(results.unsettled)) if len(results.unsettled) else set()
    digits = winners.space.digits(winners.codes)
    if not (measured.keys() | unsettled) & set(digits):
        raise CostTableError("the results hold none of the study's finalists; export its finalists again")
    return [
        ComparedLatency(one.digits, *_latency(winners, one, results.device), measured.get(code), code in unsettled)
        for one, code in zip(winners.finalists, digits, strict=True)
    ]


def smaller_budget(latencies: Iterable[ComparedLatency]) -> float | None:
    """Returns a budget on predicted latency, in milliseconds, that should keep the present one as measured.

    It is smaller in the proportion in which the least exceeded prediction was exceeded; None where nothing is known.
    """
    found = [one for one in latencies if one.measured and one.predicted and one.budget]
    return max((one.budget * one.predicted / one.measured for one in found), default=None)  # type: ignore[operator]


def more_threads_note(winners: Winners, results: RemoteResults) -> str:
    """Returns a sentence where a device measured with other threads than the study did; empty otherwise."""
    threads = results.facts.get("threads")
    if winners.threads is None or threads in (None, "", str(winners.threads)):
        return ""
    return (
        f"the device measured with --threads {threads}, and the study's latencies and budget are of"
        f" {count_of(winners.threads, 'thread')}"
    )


def first_within(latencies: Iterable[ComparedLatency]) -> ComparedLatency | None:
    """Returns the best finalist whose measurement keeps the budget."""
    return next((one for one in latencies if one.within), None)


def _latency(winners: Winners, facts: ArchitectureFacts, device: str) -> tuple[float | None, float | None]:
    """Returns prediction and budget of a finalist's latency on a device: the one that is named, or the study's own."""
    found = {cost.cost: (cost.predicted, cost.budget) for cost in facts.costs}
    named = [of for name in found if (of := split_cost(name)[1]) is not None and name.startswith("latency_ms")]
    if device in named:
        return found[cost_on("latency_ms", device)]
    own = [winners.device] if winners.of_table else []
    # A column may be called by letters that names of devices do not have.
    if (own and _plain(device) != _plain(winners.device)) or (named and not own):
        raise CostTableError(
            f"the results are of {shown(device)}, and the study's latencies of {', '.join((*own, *named))}: give the"
            " device one of these names where it is measured"
        )
    return found.get("latency_ms", (None, None))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()

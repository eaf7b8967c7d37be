"""Costs of the deployed network: measured or read for a new run, taken from the run folder for a resumed one.

Latency is profiled only where somebody asks for it: a profile takes minutes, and everything else seconds.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from surrogate_nas.costs.budget import BudgetRequest
from surrogate_nas.costs.cost import COSTS, split_cost
from surrogate_nas.errors import RunFolderError
from surrogate_nas.hardware.cost_models import (
    CompositeCosts,
    Planning,
    cost_model,
    costs_without_latency,
    with_device_memory,
)
from surrogate_nas.hardware.planned.device_memory import NAMES
from surrogate_nas.hardware.planned.planners import find_planner
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.predicted import read_sizes
from surrogate_nas.hardware.tables.stored import StoredCosts, holds, read_costs, tabulate
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Space
from surrogate_nas.study.running import Run

_LATENCY = "latency_ms"


def changed_hardware(run: Run) -> dict[str, tuple[object, object]]:
    """Returns the hardware settings, before and now, that make the costs in the run folder answer another question.

    A resumed run may ask for another back-end, device or number of threads: trained supernets and labels do not depend
    on what a network costs.

    Raises:
        SettingsError: If the settings in the run folder are damaged.
    """
    before = run.folder.begun_with()
    if before is None:
        return {}
    old, new = (_asked(settings.hardware) for settings in (before, run.settings))
    return {key: (old[key], new[key]) for key in old if old[key] != new[key]}


def makes_costs_anew(run: Run) -> bool:
    """Returns whether costs in the run folder are to be replaced."""
    lacking = _lacks_memory(run) or _lacks_latency(run)
    return run.settings.hardware.remeasure or bool(changed_hardware(run)) or lacking


def wants_memory(settings: StudySettings) -> bool:
    """Returns whether a study knows the RAM and flash of a device: a budget is on one of them, or a planner is set."""
    asked = {request.cost for request in _requests(settings)} | set(settings.search.traded)
    return settings.hardware.planner != "none" or not asked.isdisjoint(NAMES)


def wants_latency(settings: StudySettings) -> bool:
    """Returns whether a study knows the latency of every architecture.

    It does where a budget or the Pareto front is on it, where a table has it, and where the settings say so.
    """
    hardware = settings.hardware
    if hardware.latency == "always" or hardware.latency_table is not None or _LATENCY in settings.search.traded:
        return True
    return any(split_cost(request.cost)[0] == _LATENCY for request in _requests(settings))


def _requests(settings: StudySettings) -> Iterable[BudgetRequest]:
    """Returns everything that a study bounds, in its own budgets and in the others that it answers."""
    return [*settings.budget.requests(), *chain.from_iterable(one.requests for one in settings.budget.also)]


def _lacks_latency(run: Run) -> bool:
    """Returns whether the run folder has costs without the latency that it wants now."""
    costs = run.folder.costs
    return costs.exists() and wants_latency(run.settings) and not holds(costs, _LATENCY)


def _lacks_memory(run: Run) -> bool:
    """Returns whether the run was started without the RAM and flash that it wants now."""
    before = run.folder.begun_with()
    return before is not None and wants_memory(run.settings) and not wants_memory(before)


def _asked(hardware: HardwareSettings) -> dict[str, object]:
    # A table may move; what it holds is compared.
    asked = hardware.model_dump(exclude={"remeasure", "confidence", "latency_table", "latency"})
    return {**asked, "latency_table": "none" if hardware.latency_table is None else "a table"}


def deployed_costs(pool: Pool, deployed: NetworkSpec, run: Run) -> tuple[CompositeCosts, StoredCosts]:
    """Returns the model that measures costs, and the costs of every architecture of a pool.

    Raises:
        CostTableError, SettingsError: If the latency table or the device cannot be used.
        StoreError: If the costs in the run folder are damaged.
        RunFolderError: If they are of another network or device.
        MeasurementError: If a network cannot be run.
        Interrupted: If a stop was requested; what was measured before the last batch is kept for the next process.
    """
    space, settings, folder, stored = pool.space, run.settings, run.folder, None
    if folder.costs.exists() and not makes_costs_anew(run):
        stored = read_costs(folder.costs, space, deployed)
    if wants_latency(settings) or (stored is not None and _LATENCY in stored.names):
        with run.progress("costs of the deployed network", "measuring costs") as advance:
            model = cost_model(
                space,
                deployed,
                settings.hardware,
                seed=settings.seed,
                on_progress=lambda _what, done, total: advance(done, total),
            )
    else:
        model = costs_without_latency(space, deployed, settings.hardware)
    if wants_memory(settings):
        model = _with_memory(model, space, deployed, run)
    if stored is None:
        note_unknown_sizes(deployed, run)
        return model, tabulate(pool, model)
    _require_same(model, stored, folder)
    # A run that was started with another pool keeps its costs; those on further devices are read again.
    return model, stored if pool.complete else stored.only(model.names).over(pool, model)


def _with_memory(model: CompositeCosts, space: Space, deployed: NetworkSpec, run: Run) -> CompositeCosts:
    """Returns the model with the RAM and flash of the device, by a planner or by counts."""
    settings = run.settings
    row = find_planner(settings.hardware)
    origin = "from the table" if {*NAMES} <= {*model.names} else "counted" if row is None else row.title
    title = f"RAM and flash ({origin})"
    with run.progress(title, "planning networks") as advance:
        planning = Planning(settings.seed, run.workers, None, lambda _what, done, total: advance(done, total))
        return with_device_memory(model, space, deployed, settings.hardware, planning)


def note_unknown_sizes(deployed: NetworkSpec, run: Run) -> None:
    """Tells the user which sizes a table must have been measured with, where the table does not say."""
    table = run.settings.hardware.latency_table
    if table is not None and read_sizes(Path(table)) is None:
        sizes = deployed.described()
        run.console.note(
            f"{Path(table).name} does not say which networks were measured; the study takes them to have"
            f" {', '.join(f'{name} {sizes[name]}' for name in ('channels', 'cells', 'image_size', 'input_channels'))}"
        )


def _require_same(model: CompositeCosts, stored: StoredCosts, folder: RunFolder) -> None:
    """Refuses latencies that the run was not started with; measured ones may differ a little, tables may not.

    A fit to a table may differ in its last digits, by the number of threads that fit it.
    """
    before, now = stored.describe()[_LATENCY], model.describe()[_LATENCY]
    remedy = "use another --output-dir, or --overwrite to start over"
    for key, setting in (
        ("kind", "hardware.latency_table"),
        ("device", "hardware.device"),
        ("machine", "hardware.device"),
    ):
        if before.get(key) != now.get(key):
            anew = "measure latencies here with --resume --set hardware.remeasure=true, which trains nothing again, or "
            raise RunFolderError(
                f"{folder.path} was started with latencies of {before.get(key)!r}, not {now.get(key)!r} ({setting});"
                f" {anew if key == 'machine' else ''}{remedy}"
            )
    if now["kind"] == "table" and "content" in now:
        if before.get("content") != now["content"]:
            raise RunFolderError(
                f"{folder.path} was started with other latencies than hardware.latency_table has now; {remedy}"
            )
    elif now["kind"] == "table":
        described = model.describe()
        for cost in (one for one in model.names if one in stored.names and described[one].get("kind") == "table"):
            if not stored.agrees_with(model, cost):
                title = "latencies" if cost == _LATENCY else f"numbers of {COSTS[cost].title}"
                raise RunFolderError(
                    f"{folder.path} was started with other {title} than hardware.latency_table has now; {remedy}"
                )

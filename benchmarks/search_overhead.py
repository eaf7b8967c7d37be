"""Measures the cost of a search without its predictor: per trial in batches, for a whole space, for a million.

python -m benchmarks.search_overhead

The predictor is a table that is looked up, so that proposing, pricing, choosing and writing the journal are timed.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.budget_answer import Known
from benchmarks.peak_memory import peak_memory_mb
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError
from surrogate_nas.search.candidates import class_numbers
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.study_journal import JournalHeader, StudyJournal
from surrogate_nas.search.journal.trials import TrialBatch
from surrogate_nas.search.run_search import ACCURACY, run_search, study_name
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.selection import best_first, representatives
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space

Row = dict[str, float | int | str]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MILLION_OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
MILLION_NODES = 5


def drawn_numbers(space: Space) -> Known:
    """Returns numbers that depend on the class alone, as a predictor's do."""
    rng = np.random.default_rng(0)
    classes = space.index(space.canonical(space.all_codes()))
    score, latency_ms = 60 + 30 * rng.random(space.size)[classes], 1 + 9 * rng.random(space.size)[classes]
    return Known(space, score, latency_ms, features=np.empty((space.size, 0)))


def million() -> CellSpace:
    """Cells of five nodes with four operations: 1,048,576 architectures."""
    edges = [(start, end) for end in range(1, MILLION_NODES) for start in range(end)]
    return CellSpace(Identity("five_nodes", "0" * 16), edges, MILLION_OPERATIONS, load_space("nasbench201").network)


def measure(space: Space, numbers: Known, settings: SearchSettings, database: Database | None = None) -> Row:
    """Times one search from nothing to its result, with its journal on disk, or its trials in a database."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "search.journal"
        journal = database or file
        began = time.perf_counter()
        result = run_search(
            space,
            numbers,
            numbers,
            [Budget("latency_ms", 6.0)],
            settings,
            seed=0,
            journal=journal,
            study="overhead",
            inputs="-",
        )
        seconds = time.perf_counter() - began
        size = file.stat().st_size if database is None else 0
        if database is not None:
            database.delete(study_name(space, "overhead"))
    return _row(space, settings.sampler, settings.batch, len(result.codes), seconds, size)


def measure_whole(space: Space, numbers: Known, batch: int) -> Row:
    """Scans a space, finds its isomorphism classes, and writes every architecture, the best first.

    Classes are searched again only by a space that was not asked before.
    """
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "search.journal"
        began = time.perf_counter()
        whole = Evaluator(space, numbers, numbers, [Budget("latency_ms", 6.0)]).whole_space()
        kept = representatives(whole, class_numbers(space, whole.codes))
        others = np.setdiff1d(np.arange(len(whole)), kept)
        order = np.concatenate([best_first(whole, kept), best_first(whole, others)])
        stored = StudyJournal(journal, JournalHeader(space.name, space.fingerprint, "-", (ACCURACY, "latency_ms")))
        for start in range(0, len(order), batch):
            stored.record(TrialBatch(space, whole.take(order[start : start + batch])))
        stored.finish()
        seconds = time.perf_counter() - began
        size = journal.stat().st_size
    return _row(space, "everything", batch, len(order), seconds, size)


def _row(space: Space, sampler: str, batch: int, written: int, seconds: float, size: int) -> Row:
    return {
        "space": space.name,
        "architectures": space.size,
        "sampler": sampler,
        "batch": batch,
        "trials": written,
        "seconds": seconds,
        "ms_per_trial": 1e3 * seconds / max(written, 1),
        "journal_mb": size / 1e6,
        "peak_memory_mb": peak_memory_mb(),
    }


_SAMPLERS = tuple(name for name in SAMPLERS if name != "learned")  # it needs a distribution, which nothing learns here


@app.command()
def search_overhead(
    samplers: Annotated[str, typer.Option(help=f"Separated by commas: {', '.join(_SAMPLERS)}.")] = "predictor",
    with_million: Annotated[
        bool, typer.Option("--million/--no-million", help="A space of a million as well; its journal takes half a GB.")
    ] = True,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="Database that the same searches are written to as well.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Time of a search without its predictor."""
    space = load_space("nasbench201")
    numbers = drawn_numbers(space)
    databases = [None] if storage is None else [None, Database(storage, "benchmark")]
    rows = []
    asked = [name.strip() for name in samplers.split(",")]
    if unknown := [name for name in asked if name not in _SAMPLERS]:
        raise SettingsError(f"--samplers takes some of {', '.join(_SAMPLERS)} (got {unknown[0]!r})")
    for sampler in asked:
        settings = SearchSettings.model_validate({"sampler": sampler, "trials": 1000, "batch": 50})
        rows += [measure(space, numbers, settings, database) for database in databases]
    rows.append(measure_whole(load_space("nasbench201"), numbers, 2000))
    if with_million:
        rows.append(measure_whole(million(), drawn_numbers(million()), 50_000))
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    lines = [
        f"{'sampler':10}{'space':>12}{'trials':>11}{'batch':>7}{'seconds':>9}{'ms/trial':>10}"
        f"{'journal MB':>12}{'peak MB':>9}"
    ]
    for row in rows:
        lines.append(
            f"{row['sampler']:10}{row['architectures']:12,}{row['trials']:11,}{row['batch']:7,}{row['seconds']:9.2f}"
            f"{row['ms_per_trial']:10.3f}{row['journal_mb']:12.1f}{row['peak_memory_mb']:9.0f}"
        )
    say("\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.search_overhead", arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Measures how long a lookup table takes to be read and to answer.

python -m benchmarks.lookup

The tables are synthetic, of random accuracies that rise with latency, written and read like a study's. Medians of
repeated answers; the first of each kind, which may decode columns, apart.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.number_lists import numbers
from surrogate_nas.cli.command_line import run_command, say
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.lookup.table import LookupTable

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

DECISIONS, CHOICES = 10, 5
METADATA = TableMetadata("synthetic", "0" * 16, "none", 1, {"channels": 16}, "latency_ms", "-", 0)


def synthetic_table(rows: int, seed: int = 0) -> LookupTable:
    """Returns a table of random architectures, at most ``CHOICES ** DECISIONS`` of them."""
    rng = np.random.default_rng(seed)
    digits = np.arange(rows)[:, None] // CHOICES ** np.arange(DECISIONS) % CHOICES
    codes = ["".join(map(str, row)) for row in digits.tolist()]
    latency = rng.gamma(3, 1, rows)
    accuracy = np.clip(60 + 10 * np.log1p(latency) + rng.normal(0, 2, rows), 0, 100)
    return LookupTable.build(
        METADATA,
        codes=codes,
        architectures=[f"|nor_conv_3x3~{code[:3]}|+|skip_connect~{code[3:6]}|none~{code[6:]}|" for code in codes],
        canonical=codes,
        score=accuracy,
        predicted_accuracy_percent=accuracy,
        accuracy_std_percent=np.ones(rows),
        costs={"latency_ms": latency, "latency_upper_ms": 1.05 * latency, "flops": (1e6 * latency).astype(np.int64)},
    )


def questions(table: LookupTable) -> dict[str, Callable[[], object]]:
    """Returns the questions to a table, by name."""
    code = table.entry(len(table) // 2).code

    def nothing() -> None:
        try:
            table.best(latency_ms=1e-9)
        except InfeasibleBudgetError:
            return

    return {
        "best": lambda: table.best(latency_ms=1.0),
        "best_percentile": lambda: table.best(latency_ms="40%"),
        "top": lambda: table.top(10, table.resolve(latency_ms=3.0)),
        "pareto": table.pareto,
        "near": lambda: table.near(code),
        "nothing_meets": nothing,
    }


def measure(rows: int, repeats: int) -> dict[str, float]:
    """Milliseconds to read a table of so many rows, of its first answers, and of the median of further ones."""
    with tempfile.TemporaryDirectory() as folder:
        synthetic_table(rows).write(Path(folder))
        size = (Path(folder) / "lookup.parquet").stat().st_size
        read = statistics.median(_milliseconds(lambda: LookupTable.load(folder)) for _ in range(5))
        table = LookupTable.load(folder)
        asked = questions(table)
        first = max(_milliseconds(ask) for ask in asked.values())
        answers = {name: statistics.median(_milliseconds(ask) for _ in range(repeats)) for name, ask in asked.items()}
    return {"rows": rows, "megabytes": size / 1e6, "read": read, **answers, "first": first}


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


@app.command()
def lookup(
    rows: Annotated[str, typer.Option(help="Sizes of tables, separated by commas.")] = "15625,1000000",
    repeats: Annotated[int, typer.Option(min=1, help="Answers that a median is of.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Time of reading a lookup table and of its answers, in milliseconds."""
    found = [measure(size, repeats) for size in numbers("--rows", rows, "15625,1000000")]
    if as_json:
        say(json.dumps(found, indent=2))
        return
    names = list(found[0])
    lines = ["  ".join(f"{name:>15}" for name in names)]
    for row in found:
        lines.append("  ".join(f"{row[name]:15,.0f}" if name == "rows" else f"{row[name]:15.2f}" for name in names))
    say("\n".join(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives its exit code."""
    return run_command(app, "python -m benchmarks.lookup", arguments)


if __name__ == "__main__":
    sys.exit(main())

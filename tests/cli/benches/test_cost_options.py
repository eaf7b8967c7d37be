"""Options of costs are checked before anything is measured."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from surrogate_nas.cli.benches.cost_options import Confidence, Output, require_table_file
from surrogate_nas.errors import CostTableError, SettingsError

app = typer.Typer()


@app.command()
def show(output: Output = None, confidence: Confidence = 0.95) -> None:
    """Shows what it was given."""
    typer.echo(f"{output} {confidence}")


def test_a_table_of_predictions_is_a_parquet_file() -> None:
    assert CliRunner().invoke(app, ["--output", "a.PARQUET"]).output == "a.PARQUET 0.95\n"
    for path in (None, Path("a.PARQUET")):
        require_table_file(path)
    with pytest.raises(CostTableError, match=r"--output: a table of predicted latencies is a \.parquet file"):
        require_table_file(Path("a") / "b.csv")


@pytest.mark.parametrize("value", ["0.3", "1", "nan"])
def test_a_confidence_is_a_probability_above_chance(value: str) -> None:
    error = CliRunner().invoke(app, ["--confidence", value]).exception
    assert isinstance(error, SettingsError)
    assert "--confidence must be at least 0.5 and below 1" in str(error)

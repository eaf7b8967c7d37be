"""Options of costs are checked before anything is measured."""

import pytest
import typer
from typer.testing import CliRunner

from surrogate_nas.cli.benches.cost_options import Confidence, Output
from surrogate_nas.errors import SettingsError

app = typer.Typer()


@app.command()
def show(output: Output = None, confidence: Confidence = 0.95) -> None:
    """Shows what it was given."""
    typer.echo(f"{output} {confidence}")


def test_options_are_taken_as_given() -> None:
    assert CliRunner().invoke(app, ["--output", "a.parquet"]).output == "a.parquet 0.95\n"


@pytest.mark.parametrize("value", ["0.3", "1", "nan"])
def test_a_confidence_is_a_probability_above_chance(value: str) -> None:
    error = CliRunner().invoke(app, ["--confidence", value]).exception
    assert isinstance(error, SettingsError)
    assert "--confidence must be at least 0.5 and below 1" in str(error)

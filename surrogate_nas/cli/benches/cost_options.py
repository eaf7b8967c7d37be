"""Options that several commands of costs share."""

from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas.cli import completion
from surrogate_nas.cli.command_line import in_home
from surrogate_nas.errors import SettingsError

MOST = 100_000  # of any size of a network, and of networks

SpaceName = Annotated[
    str,
    typer.Argument(metavar="SPACE", help="Search space by name, or a .toml file.", autocompletion=completion.spaces),
]
SpaceOrRun = Annotated[
    str,
    typer.Argument(
        metavar="SPACE|RUN",
        help="Search space by name, or a .toml file; or the run folder of a study.",
        autocompletion=completion.spaces,
    ),
]
Budget = Annotated[str | None, typer.Option(metavar="BUDGET", help="Latency to compare with, such as 5ms or 40%.")]


def _probability(value: float) -> float:
    if not 0.5 <= value < 1:
        raise SettingsError(f"--confidence must be at least 0.5 and below 1 (got {value:g})")
    return value


Confidence = Annotated[
    float,
    typer.Option(callback=_probability, metavar="P", help="Probability with which a latency must keep the budget."),
]
Output = Annotated[
    Path | None, typer.Option(callback=in_home, metavar="FILE", help=".parquet file to write, which a study takes.")
]
Like = Annotated[
    Path | None,
    typer.Option(
        callback=in_home, metavar="FILE", help="Latency table of other devices: ten measurements then suffice."
    ),
]
LikeDevices = Annotated[
    str, typer.Option(metavar="NAMES", help="Columns of that table, separated by commas. Without it: all.")
]
Batch = Annotated[int, typer.Option(metavar="N", min=1, max=65_536, help="Images per forward pass.")]
Channels = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=MOST, help="Channels of the first stage. Without it: the space's own."),
]
Cells = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=MOST, help="Cells per stage. Without it: the space's own.")
]
ImageSize = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=MOST, help="Side of the images. Without it: the space's own.")
]
InputChannels = Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="3 for colour, 1 for grey images.")]
Classes = Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="Classes of the images.")]

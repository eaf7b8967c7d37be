"""Command line: classifies images by an exported model, without torch.

python -m surrogate_nas.predict MODEL IMAGE...
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate_nas._support.streams import in_one_line
from surrogate_nas._support.words import count_of
from surrogate_nas.cli.command_line import AsJson, Version, complain, in_home, new_app, run_command, say
from surrogate_nas.deploy.classifier import Classification, Classifier, Unreadable
from surrogate_nas.deploy.pictures import find_images
from surrogate_nas.errors import PredictionError

app = new_app()


@app.command()
def predict(
    model: Annotated[
        Path,
        typer.Argument(
            callback=in_home,
            metavar="MODEL",
            help="Folder of a trained model, such as RUN/best, or its .onnx file.",
            show_default=False,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(callback=in_home, metavar="IMAGE", help="Images, or folders of images.", show_default=False),
    ],
    threads: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="CPU threads.")] = 1,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Name images that cannot be read, without an error.")
    ] = False,
    as_json: AsJson = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Classifies images: one line each, with the most probable class and its probability."""
    classifier = Classifier.load(model, threads)
    found = find_images(images)
    answers: list[Classification] = []
    unreadable: list[Unreadable] = []
    for one in classifier.classify([*found]):
        if isinstance(one, Unreadable):
            unreadable.append(one)
            complain(f"warning: {one}")
            continue
        answers.append(one)
        if not as_json:
            say(in_one_line(f"{one.probability:6.1%}  {one.class_name}  {one.image}"))
    if as_json:
        say(json.dumps(_as_json(model, answers, unreadable), indent=2))
    if unreadable and not skip_unreadable:
        raise PredictionError(
            f"{len(unreadable):,} of {count_of(len(found), 'image')} could not be read; leave them out with"
            " --skip-unreadable"
        )


def _as_json(model: Path, answers: list[Classification], unreadable: list[Unreadable]) -> dict[str, Any]:
    return {
        "model": str(model),
        "predictions": [one.as_json() for one in answers],
        "unreadable": [{"image": one.image, "reason": one.reason} for one in unreadable],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.predict", arguments)

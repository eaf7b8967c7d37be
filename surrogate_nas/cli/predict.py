"""Command line: classifies images by an exported model, without torch.

python -m surrogate_nas.predict MODEL IMAGE...
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas.cli.command_line import AsJson, Version, new_app, run_command, say
from surrogate_nas.deploy.classifier import Classifier, find_images

app = new_app()


@app.command()
def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="Folder of a trained model, such as RUN/best, or its .onnx file.", show_default=False
        ),
    ],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Images, or folders of images.", show_default=False)
    ],
    threads: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="CPU threads.")] = 1,
    as_json: AsJson = False,
    version: Version = False,  # noqa: ARG001 - its callback acts
) -> None:
    """Classifies images: one line each, with the most probable class and its probability."""
    classifier = Classifier.load(model, threads)
    predictions = classifier.classify(find_images(images))
    if as_json:
        answer = {"model": str(model), "predictions": [one.as_json() for one in predictions]}
        say(json.dumps(answer, indent=2))
        return
    for one in predictions:
        say(f"{one.probability:6.1%}  {one.class_name}  {one.image}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    return run_command(app, "python -m surrogate_nas.predict", arguments)

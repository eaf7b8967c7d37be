"""Command line: classifies images by an exported model, without torch.

python -m surrogate_nas.predict MODEL IMAGE...
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from surrogate_nas.cli.command_line import print_version, run_command, say
from surrogate_nas.deploy.classifier import Classifier, find_images

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def predict(
    model: Annotated[
        Path,
        typer.Argument(help="Folder of a trained model, such as RUN/best, or its .onnx file.", show_default=False),
    ],
    images: Annotated[list[Path], typer.Argument(help="Images, or folders of images.", show_default=False)],
    threads: Annotated[int, typer.Option(min=1, max=1024, help="CPU threads.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Classify images: one line each, with the most probable class and its probability."""
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

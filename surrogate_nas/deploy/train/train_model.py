"""A final training in Python: the function behind ``python -m surrogate_nas.train``, without a command line."""

from collections.abc import Mapping
from pathlib import Path

from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.deploy.train.train_run import run_training
from surrogate_nas.errors import TrainingError
from surrogate_nas.runs.console import StudyConsole


def train_model(
    run: Path | str,
    *,
    budgets: Mapping[str, str | None] | None = None,
    arch: str | None = None,
    start: Start = "scratch",
    epochs: int | None = None,
    int8: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
) -> ModelFacts:
    """Trains an architecture of a finished study to its end, tests it, and exports it into the run folder.

    Args:
        run: The run folder.
        budgets: Train the best architecture under these instead of the study's answer, such as ``{"latency": "3ms"}``.
        arch: Train this architecture instead, a code or its text.
        start: Whether weights begin at random or as the supernet has them.
        epochs: Passes over the images; the recipe's unless given.
        int8: Whether to export an 8-bit ONNX model as well.
        overwrite: Whether to begin anew where a training is there.
        quiet: Whether to leave out notes and progress.

    Returns:
        Accuracy on the test images, sizes and latencies of the exported files.

    Raises:
        SurrogateNasError: If the request is wrong, nothing meets the budgets, or a stage fails.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import train_model
        >>> facts = train_model(folder, epochs=1, overwrite=True)
        >>> facts.code, sorted(facts.onnx)
        ('1102', ['float'])
    """
    request = TrainRequest(
        Path(run),
        budgets or {},
        arch,
        start,
        epochs=epochs,
        int8=int8,
        overwrite=overwrite,
        command=f"train_model({str(run)!r})",
    )
    with StudyConsole(quiet=quiet) as console:
        facts = run_training(request, console, lambda: False)
    if facts is None:
        raise TrainingError("train_model trains in one process; use python -m surrogate_nas.train under torchrun")
    return facts

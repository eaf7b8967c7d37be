"""A final training in Python: ``python -m surrogate_nas.train`` without a command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_type_hints

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.cost import BOUNDED, COSTS
from surrogate_nas.deploy.classifier import Classifier
from surrogate_nas.deploy.train.train_request import Start, TrainRequest
from surrogate_nas.deploy.train.train_run import run_training
from surrogate_nas.errors import ExportError, SettingsError, TrainingError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stop_in_python

_KEYS = {COSTS[name].keyword: key for key, name in BOUNDED.items()}


class TrainOptions(TypedDict, total=False):
    """Options of a final training, each as on the command line; None is an option that was not given.

    Attributes:
        latency_budget: Train the best architecture under this budget instead of the study's answer, such as ``"3ms"``.
        flops_budget: Likewise, such as ``"50M"``.
        params_budget: Likewise, such as ``"1M"``.
        memory_budget: Likewise, such as ``"2MB"``.
        ram_budget: Likewise, RAM of a microcontroller or NPU, such as ``"256KB"``.
        flash_budget: Likewise, its flash, such as ``"1MB"``.
        energy_budget: Likewise, such as ``"5mJ"``.
        arch: Train this architecture instead, a code or its text.
        start: First weights: random (``"scratch"``), those that the ``"supernet"`` has, or a part of the
            ``"pretrained"`` ones; ``--from`` on the command line.
        rivals: Also train so many off-the-shelf networks, the best that fit the study's budgets.
        rival: Also train this off-the-shelf network, or several, by name.
        epochs: Passes over the images; the recipe's unless given.
        batch_size: Images per step; likewise.
        learning_rate: The highest one; likewise.
        seed: Of the first weights, the order of images and their augmentation; the study's unless given.
        int8: Whether to export 8-bit models as well.
        export: Formats to export beside ONNX, such as ``"openvino"``, with commas between them.
        compute_device: Where it is trained: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        threads: CPU threads of the training; one per processor unless given, or one for images under
            16 pixels.
        resume: Whether to continue a training, or to export a finished one again.
        overwrite: Whether to start over if a training is there.
        trust_program: Whether to run the Python of the run's space, even if it was never run on this machine.
        track: Where settings, the loss curve and results are sent: ``"tensorboard"``, ``"mlflow"``, or nowhere.
        settings: Values that take the place of the recipe's, such as ``{"training.mixup": 0.2}``; ``--set`` on the
            command line.
        quiet: Whether to leave out notes and progress.
    """

    latency_budget: str | None
    flops_budget: str | None
    params_budget: str | None
    memory_budget: str | None
    ram_budget: str | None
    flash_budget: str | None
    energy_budget: str | None
    arch: str | None
    start: Start | None
    rivals: int
    rival: str | Sequence[str]
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    seed: int | None
    int8: bool
    export: str
    compute_device: str
    threads: int | None
    resume: bool
    overwrite: bool
    trust_program: bool
    track: str | None
    settings: Mapping[str, Any] | None
    quiet: bool


def train_model(run: Path | str, **options: Unpack[TrainOptions]) -> Classifier:
    """Trains an architecture of a finished study to its end, tests it, and exports it into the run folder.

    Args:
        run: The run folder.
        options: As of ``python -m surrogate_nas.train``: ``latency_budget`` and other budgets, ``arch``, ``start``,
            ``rivals``, ``rival``, ``epochs``, ``batch_size``, ``learning_rate``, ``seed``, ``int8``,
            ``export``, ``compute_device``, ``threads``, ``resume``, ``overwrite``, ``trust_program``, ``track``,
            ``settings``, ``quiet``.

    Returns:
        The exported model: its accuracy on the test images, its folder, and its predictions.

    Raises:
        SurrogateNasError: If an option is unknown or wrong, nothing meets the budgets, or a stage fails.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import train_model
        >>> model = train_model(folder, epochs=1, overwrite=True, quiet=True)
        >>> model.folder.name, model.accuracy.images, sorted(model.results["onnx"])
        ('1102', 1497, ['float'])
    """
    request = _request(expanded(run), options)
    with (
        StudyConsole(quiet=options.get("quiet", False), json=True) as console,
        stop_in_python(console.warn) as should_stop,
    ):
        facts = run_training(request, console, should_stop)
    if facts is None:
        raise TrainingError("train_model trains in one process; use python -m surrogate_nas.train under torchrun")
    if facts.runtimes.failures:
        raise ExportError(" ".join(facts.runtimes.complaints()))
    return Classifier.load(request.run / "models" / facts.code)


def _request(run: Path, options: TrainOptions) -> TrainRequest:
    known = list(get_type_hints(TrainOptions))
    if unknown := [name for name in options if name not in known]:
        raise SettingsError(f"unknown option {unknown[0]!r}; {choose_from(known, unknown[0])}")
    words = ", ".join(f"{name}={value!r}" for name, value in options.items() if name not in ("quiet", "resume"))
    renamed = {"compute_device": "device"}
    fields = {
        renamed.get(name, name): value
        for name, value in options.items()
        if name not in _KEYS and name != "quiet" and value is not None
    }
    if isinstance(fields.get("rival"), str):
        fields["rival"] = (fields["rival"],)
    budgets = {key: options.get(keyword) for keyword, key in _KEYS.items()}
    command = f"train_model({str(run)!r}{f', {words}' if words else ''})"
    return TrainRequest(run, budgets=budgets, command=command, **fields)  # type: ignore[arg-type]

"""Settings, curves, figures and files of a run, sent to TensorBoard or MLflow if the user wants it.

TensorBoard's events lie in ``RUN/tensorboard``. MLflow's go to ``MLFLOW_TRACKING_URI`` or, without that, into a
database in ``RUN/mlruns``. ``RUN/tracking.json`` holds what was sent, so that a resumed run continues in the same
tracked run and sends nothing twice.
"""

import hashlib
import importlib.util
import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas._support.words import first_line
from surrogate_nas.errors import Interrupted, SettingsError, StoreError
from surrogate_nas.runs.console import StudyConsole

TRACKERS = ("tensorboard", "mlflow")
"""Names of the trackers, of the packages that they need, and of the extras that install these."""
RECORD, EVENTS, MLRUNS = "tracking.json", "tensorboard", "mlruns"
_REMEDY = "remove it, and everything is tracked again"
_PARAMETERS_AT_ONCE = 100  # that a server of MLflow takes
Settings = Mapping[str, object]


def check_tracker(name: str | None) -> None:
    """Refuses a tracker that is unknown or not installed, without importing it.

    Raises:
        SettingsError: If it is one of these.
    """
    if name is None:
        return
    if name not in TRACKERS:
        raise SettingsError(f"--track must be {' or '.join(TRACKERS)} (got {name!r})")
    if importlib.util.find_spec(name) is None:
        raise SettingsError(
            f"--track {name} needs {name}, which is not installed; install it with: pip install 'surrogate_nas[{name}]'"
        )


class Backend(Protocol):
    """A tracked run that is open.

    Attributes:
        identity: By which a later process finds it again.
    """

    identity: str

    def settings(self, values: Settings) -> None:
        """Sends settings, some of which may have been sent before."""

    def number(self, name: str, value: float, step: int) -> None:
        """Sends one finite number."""

    def file(self, path: Path) -> None:
        """Sends a file, in place of an older one of its name."""

    def flush(self) -> None:
        """Makes sure that everything has arrived."""

    def close(self, status: str) -> None:
        """Ends the tracked run: FINISHED, FAILED or KILLED."""


class Tracker:
    """The tracked run of one part of a run folder; does nothing where no tracker was requested.

    Call order: ``begin`` once the run folder may be written to, then the others; the tracked run ends with the block. A
    tracker that fails later is a warning, and no reason to stop.

    Args:
        name: One of ``TRACKERS``, or None.
        folder: The run folder.
        part: Such as ``study``, or ``train-1102``.
        console: Where failures are reported.
    """

    def __init__(self, name: str | None, folder: Path, part: str, console: StudyConsole) -> None:
        self._name, self._folder, self._part, self._console = name, folder, part, console
        self._backend: Backend | None = None
        self._sent: dict[str, dict[str, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stopped = kind is not None and issubclass(kind, Interrupted | KeyboardInterrupt)
        status = "FINISHED" if kind is None else "KILLED" if stopped else "FAILED"
        self._do(lambda backend: backend.close(status))
        self._backend = None

    @property
    def is_open(self) -> bool:
        """True while anything is sent."""
        return self._backend is not None

    def begin(self, settings: Settings, *, anew: bool = False) -> None:
        """Opens the tracked run: an earlier process's, unless it is to start over.

        Raises:
            SettingsError: If it cannot be opened.
            StoreError: If the record of what was sent is damaged.
        """
        if self._name is None:
            return
        known: dict[str, Any] = {} if anew else self._known(self._name)
        try:
            self._backend = _BACKENDS[self._name](self._folder, self._part, known.get("identity"))
            if self._backend.identity == known.get("identity"):
                self._sent = known.get("sent", {})
            self._backend.settings(settings)
        except Exception as error:  # trackers raise whatever they like
            raise SettingsError(f"--track {self._name}: {first_line(error)}") from None
        self._keep()

    def numbers(self, values: Mapping[str, float | None], step: int = 0) -> None:
        """Sends figures by name, but for unknown ones and those that were sent before."""
        self._send([(name, step, value) for name, value in values.items() if value is not None])

    def curve(self, name: str, steps: Sequence[float], values: Sequence[float]) -> None:
        """Sends a figure at several steps, which lie at least 1 apart; halves are rounded up."""
        self._send([(name, math.ceil(step), value) for step, value in zip(steps, values, strict=True)])

    def files(self, paths: Iterable[Path]) -> None:
        """Sends files, where the tracker takes any; those that are missing are left out."""
        for path in paths:
            if path.is_file():
                self._do(lambda backend, path=path: backend.file(path))  # type: ignore[misc]

    def _send(self, numbers: Iterable[tuple[str, int, float]]) -> None:
        new = [
            (name, step, float(value))
            for name, step, value in numbers
            if math.isfinite(value) and self._sent.get(name, {}).get(str(step)) != value
        ]

        def send(backend: Backend) -> None:
            for name, step, value in new:
                backend.number(name, value, step)
                self._sent.setdefault(name, {})[str(step)] = value
            backend.flush()
            self._keep()

        if new:
            self._do(send)

    def _do(self, act: Callable[[Backend], None]) -> None:
        if self._backend is None:
            return
        try:
            act(self._backend)
        except Exception as error:  # as above
            self._backend = None
            self._console.warn(f"--track {self._name} failed and ends here: {first_line(error)}")

    def _record(self) -> dict[str, Any]:
        path = self._folder / RECORD
        return read_json(path, "record of what was tracked", _REMEDY) if path.exists() else {}

    def _known(self, name: str) -> dict[str, Any]:
        """Returns what an earlier process sent to a tracker."""
        inner: Any = self._record()
        for key in (self._part, name):
            inner = inner.get(key, {}) if isinstance(inner, dict) else None
        sent = inner.get("sent", {}) if isinstance(inner, dict) else None
        if not (isinstance(sent, dict) and all(isinstance(steps, dict) for steps in sent.values())):
            raise StoreError(f"the record of what was tracked is damaged: {self._folder / RECORD}; {_REMEDY}")
        return dict(inner)

    def _keep(self) -> None:
        if self._backend is not None and self._name is not None:
            record = self._record()
            mine = {"identity": self._backend.identity, "sent": self._sent}
            record.setdefault(self._part, {})[self._name] = mine
            write_json(self._folder / RECORD, record)


class _TensorBoard:
    """Event files in the run folder."""

    def __init__(self, folder: Path, part: str, known: str | None) -> None:
        # Slow to import, and only needed here.
        from torch.utils.tensorboard import SummaryWriter

        place = folder / EVENTS / part
        self._goes_on = known is not None and place.is_dir()
        if not self._goes_on:
            for file in place.glob("events.out.tfevents.*"):
                file.unlink()
        self.identity = known if known is not None and self._goes_on else os.urandom(8).hex()
        self._writer: Any = SummaryWriter(str(place))

    def settings(self, values: Settings) -> None:
        if not self._goes_on:
            rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
            self._writer.add_text("settings", f"| setting | value |\n| --- | --- |\n{rows}")

    def number(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def file(self, path: Path) -> None:
        """Does nothing: event files hold no files."""

    def flush(self) -> None:
        self._writer.flush()

    def close(self, status: str) -> None:  # noqa: ARG002 - event files have none
        self._writer.close()


class _MLflow:
    """A run of MLflow, on a server or in a database in the run folder."""

    def __init__(self, folder: Path, part: str, known: str | None) -> None:
        # A run is nobody else's business; set the variable to let MLflow's makers count it.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Slow to import, and only needed here.
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):  # which set up their own logging when they are imported
            logging.getLogger(name).setLevel(logging.WARNING)
        own, server = (folder / MLRUNS).resolve(), os.environ.get("MLFLOW_TRACKING_URI")
        if not server:
            own.mkdir(parents=True, exist_ok=True)
        uri = server or f"sqlite:///{own / 'mlflow.db'}"
        self._client: Any = MlflowClient(tracking_uri=uri)
        # The address may hold a password.
        where = hashlib.sha256(uri.encode()).hexdigest()[:16]
        before = known.partition(" ")[2] if known is not None and known.startswith(where) else None
        # A database in a run folder may come from anywhere, or from where the folder was before it was moved.
        self._place = None if server else (own / "artifacts").as_uri()
        self._run: Any = self._reopened(before)
        if self._run is None:
            experiment = self._experiment(where)
            self._run = self._client.create_run(experiment, run_name=f"{folder.resolve().name} {part}")
        self._id = str(self._run.info.run_id)
        self.identity = f"{where} {self._id}"

    def settings(self, values: Settings) -> None:
        from mlflow.entities import Param

        known = self._run.data.params
        texts = {_allowed(key): str(value) for key, value in values.items()}
        new = [Param(key, text) for key, text in texts.items() if key not in known]
        for start in range(0, len(new), _PARAMETERS_AT_ONCE):
            self._client.log_batch(self._id, params=new[start : start + _PARAMETERS_AT_ONCE])
        for key, text in texts.items():
            if key in known and known[key] != text:  # parameters of a run never change
                self._client.set_tag(self._id, f"resumed with {key}", text)

    def number(self, name: str, value: float, step: int) -> None:
        self._client.log_metric(self._id, _allowed(name), value, step=step)

    def file(self, path: Path) -> None:
        self._client.log_artifact(self._id, str(path))

    def flush(self) -> None:
        """Does nothing: a call has arrived when it returns."""

    def close(self, status: str) -> None:
        self._client.set_terminated(self._id, status)

    def _reopened(self, run: str | None) -> Any:  # noqa: ANN401 - mlflow's run
        from mlflow.exceptions import MlflowException

        if run is None:
            return None
        try:
            found = self._client.get_run(run)
            if not self._keeps_files_here(str(found.info.artifact_uri)):
                return None
            self._client.update_run(run, status="RUNNING")
            return self._client.get_run(run)
        except MlflowException:  # somebody deleted it
            return None

    def _experiment(self, where: str) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "surrogate_nas")
        for each in (name, f"{name} {where}"):
            found = self._client.get_experiment_by_name(each)
            if found is None:
                return str(self._client.create_experiment(each, artifact_location=self._place))
            if self._keeps_files_here(str(found.artifact_location)):
                return str(found.experiment_id)
        raise SettingsError(f"{MLRUNS}/ keeps files outside the run folder; remove it, and everything is tracked again")

    def _keeps_files_here(self, uri: str) -> bool:
        """Returns whether files at an address lie in the run folder, or on a server."""
        return self._place is None or (f"{uri}/".startswith(f"{self._place}/") and ".." not in uri)


_BACKENDS: dict[str, Callable[[Path, str, str | None], Backend]] = {"tensorboard": _TensorBoard, "mlflow": _MLflow}


def _allowed(name: str) -> str:
    """Returns a name of letters that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", name)

"""Tracked values arrive once, and the tracker's own readers read them back."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import Interrupted, SettingsError, StoreError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.tracking import Tracker, check_tracker
from tests.conftest import REPOSITORY
from tests.fixtures.event_files import scalars


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def track(name: str | None, folder: Path, values: list[float], **settings: object) -> None:
    """Tracks a part of a run: the values are of steps 0, 1, ..."""
    with StudyConsole(quiet=True) as console, Tracker(name, folder, "study", console) as tracker:
        tracker.begin({"seed": 0, **settings})
        for step, value in enumerate(values):
            tracker.numbers({"tau": value, "unknown": None, "nothing": float("nan")}, step)
        tracker.curve("loss/a@b", [0.5, 1.5], [1.0, 0.5])
        tracker.files([folder / "report.html", folder / "missing"])


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a database without a run, which takes MLflow seconds to make."""
    mlflow = pytest.importorskip("mlflow")
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Path:
    """Returns a run folder with such a database."""
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, tmp_path / "mlruns" / "mlflow.db")
    return tmp_path


def test_event_files_have_every_figure_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    track("tensorboard", tmp_path, [0.25, 0.5])
    # A resumed run continues, with a figure that changed and one that is new.
    track("tensorboard", tmp_path, [0.25, 0.75, 0.875])
    found = scalars(tmp_path / "tensorboard" / "study")
    assert sorted(found["tau"]) == [(0, 0.25), (1, 0.5), (1, 0.75), (2, 0.875)]
    assert found["loss/a@b"] == [(1, 1.0), (2, 0.5)]
    assert len(found["settings"]) == 1
    assert set(found) == {"tau", "loss/a@b", "settings"}


def runs_of(folder: Path) -> tuple[Any, list[Any]]:
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("surrogate_nas")
    return client, list(client.search_runs([experiment.experiment_id]))


@pytest.mark.slow
def test_mlflow_has_one_run_with_settings_figures_and_files(store: Path) -> None:
    (store / "report.html").write_text("<!DOCTYPE html>")
    many = {f"key{number}": number for number in range(150)}
    track("mlflow", store, [0.25, 0.5], budget="5ms", **many)
    track("mlflow", store, [0.25, 0.75, 0.875], budget="3ms", **many)
    client, (run,) = runs_of(store)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == f"{store.name} study"
    assert len(run.data.params) == 152
    assert run.data.params["budget"] == "5ms"
    assert run.data.tags["resumed with budget"] == "3ms"
    history = sorted((one.step, one.value) for one in client.get_metric_history(run.info.run_id, "tau"))
    assert history == [(0, 0.25), (1, 0.5), (1, 0.75), (2, 0.875)]
    assert [one.value for one in client.get_metric_history(run.info.run_id, "loss/a_b")] == [1.0, 0.5]
    assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["report.html"]
    assert (store / "mlruns" / "artifacts" / run.info.run_id / "artifacts" / "report.html").is_file()


@pytest.mark.slow
def test_an_end_is_recorded_as_what_it_was(store: Path) -> None:
    for part, error in (("a", Interrupted("stopped")), ("b", SettingsError("wrong")), ("c", KeyboardInterrupt())):
        tracker = Tracker("mlflow", store, part, StudyConsole(quiet=True))
        tracker.begin({})
        tracker.__exit__(type(error), error, None)
    _, runs = runs_of(store)
    ends = {run.info.run_name.split()[-1]: run.info.status for run in runs}
    assert ends == {"a": "KILLED", "b": "FAILED", "c": "KILLED"}


def test_beginning_anew_or_after_a_deletion_is_another_run(store: Path) -> None:
    track("mlflow", store, [0.5])
    with StudyConsole(quiet=True) as console, Tracker("mlflow", store, "study", console) as tracker:
        tracker.begin({}, anew=True)
        tracker.numbers({"tau": 0.5})
    client, runs = runs_of(store)
    assert len(runs) == 2
    assert all(run.data.metrics["tau"] == 0.5 for run in runs)
    for run in runs:
        client.delete_run(run.info.run_id)
    track("mlflow", store, [0.5])
    _, (last,) = runs_of(store)
    assert last.data.metrics["tau"] == 0.5


def test_a_server_of_one_s_own_is_used_and_its_address_is_not_kept(
    empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(empty_store, tmp_path / "server.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'server.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "birds")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    track("mlflow", tmp_path / "run", [0.5])
    assert not (tmp_path / "run" / "mlruns").exists()
    assert (tmp_path / "server.db").stat().st_mtime_ns > empty_store.stat().st_mtime_ns
    assert "server.db" not in (tmp_path / "run" / "tracking.json").read_text()


def test_a_tracker_that_fails_later_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    with StudyConsole(quiet=True) as console, Tracker("tensorboard", tmp_path, "study", console) as tracker:
        tracker.begin({})
        tracker._backend.number = None  # type: ignore[union-attr, method-assign]
        tracker.numbers({"tau": 1.0})
        tracker.numbers({"tau": 2.0})
        assert not tracker.is_open
    assert capsys.readouterr().err.count("--track tensorboard failed and ends here") == 1


def test_one_that_cannot_be_opened_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://host")
    tracker = Tracker("mlflow", tmp_path, "study", StudyConsole(quiet=True))
    with pytest.raises(SettingsError, match="--track mlflow: "):
        tracker.begin({})


@pytest.mark.parametrize(
    "record",
    [{"study": 5}, {"study": {"tensorboard": 5}}, {"study": {"tensorboard": {"identity": "a", "sent": {"b": 5}}}}],
)
def test_a_record_that_makes_no_sense_is_an_error_with_the_way_on(tmp_path: Path, record: dict[str, Any]) -> None:
    write_json(tmp_path / "tracking.json", record)
    tracker = Tracker("tensorboard", tmp_path, "study", StudyConsole(quiet=True))
    with pytest.raises(StoreError, match=r"damaged: .*tracking\.json; remove it"):
        tracker.begin({})


def test_files_stay_in_the_run_folder_whatever_its_database_says(store: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    elsewhere = store / "elsewhere"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{store / 'mlruns' / 'mlflow.db'}")
    client.create_experiment("surrogate_nas", artifact_location=elsewhere.as_uri())
    (store / "report.html").write_text("<!DOCTYPE html>")
    track("mlflow", store, [0.5])
    assert not elsewhere.exists()
    assert [path.name for path in (store / "mlruns" / "artifacts").rglob("*.html")] == ["report.html"]


def test_without_a_tracker_nothing_happens(tmp_path: Path) -> None:
    track(None, tmp_path, [0.5])
    assert list(tmp_path.iterdir()) == []


def test_unknown_and_missing_trackers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_tracker(None)
    with pytest.raises(SettingsError, match=r"--track must be tensorboard or mlflow \(got 'wandb'\)"):
        check_tracker("wandb")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for name in ("tensorboard", "mlflow"):
        with pytest.raises(SettingsError, match=rf"pip install 'surrogate_nas\[{name}\]'"):
            check_tracker(name)


def test_nothing_is_imported_unless_asked_for() -> None:
    script = (
        "import sys; from surrogate_nas.runs.tracking import check_tracker; check_tracker('mlflow');"
        "print([name for name in sys.modules if name.split('.')[0] in ('mlflow', 'tensorboard')])"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"

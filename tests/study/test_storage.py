"""Studies whose search and trainings are kept in a database: the same answer, and no password anywhere."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.trial import TrialState

from surrogate_nas.search.journal.dashboard import Dashboard
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from tests.fixtures.postgresql import PASSWORD, PostgreSQL
from tests.fixtures.tiny_study import Run, RunHere

TRAININGS = (
    "--trainings",
    "8",
    "--set",
    "loop.rounds=1",
    "--set",
    "compute.processes=4",
    "--set",
    "training.epochs=12",
)


def test_a_database_that_cannot_be_used_is_one_line_and_makes_no_folder(
    tiny: Path, budgets: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    for url in ("redis://:s3cret@host", f"sqlite:///{tmp_path}/no/where.db", "search.journal"):
        code, out, error = here(tiny, "--output-dir", folder, *budgets, "--storage", url)
        assert (code, out) == (2, "")
        assert error.startswith("error: --storage")
        assert error.count("\n") == 1
        assert "s3cret" not in error
        assert not folder.exists()


@pytest.mark.slow
@pytest.mark.posix
def test_four_workers_on_postgresql_with_one_killed_and_a_dashboard_beside(
    postgresql: PostgreSQL, tiny: Path, budgets: tuple[str, ...], command: Run, tmp_path: Path
) -> None:
    """The answer is the one of a run with journals, the database has every trial, and the password is nowhere."""
    plain = command(tiny, "--output-dir", tmp_path / "plain", *budgets, *TRAININGS)
    assert plain.returncode == 0, plain.stderr
    words = [str(tiny), "--output-dir", str(tmp_path / "run"), *budgets, *TRAININGS, "--storage", postgresql.url()]
    line = [sys.executable, "-m", "surrogate_nas.study", *words]
    study = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    database = Database(postgresql.url(), "anybody")
    watched = Dashboard(database, tmp_path / "artifacts")
    try:
        _kill_a_worker_that_trains(study, tmp_path / "run" / "trainings")
        watched.start()
        _require_answer(watched)
        said, _ = study.communicate(timeout=600)
    finally:
        study.kill()
        watched.stop()
    assert study.returncode == 0, said
    assert (tmp_path / "run" / "lookup.csv").read_bytes() == (tmp_path / "plain" / "lookup.csv").read_bytes()
    with quiet_optuna():
        trainings = optuna.load_study(study_name="nasbench201-tiny-trainings", storage=database.storage).trials
        search = optuna.load_study(study_name="nasbench201-tiny", storage=database.storage)
    done = [trial for trial in trainings if trial.state == TrialState.COMPLETE]
    assert len({trial.user_attrs["code"] for trial in done}) == len(done) == 8
    assert [trial.state for trial in trainings].count(TrialState.FAIL) == 1
    assert len(search.trials) == 40
    assert "report.html" in [meta.filename for meta in get_all_artifact_meta(search)]
    recorded = json.loads((tmp_path / "run" / "environment.json").read_text())["command"]
    assert recorded.endswith(f"--storage {postgresql.url().replace(f':{PASSWORD}', '')}")
    # Of the run folder, whose files are read as bytes, and the terminal.
    for file in (tmp_path / "run").rglob("*"):
        assert file.is_dir() or PASSWORD.encode() not in file.read_bytes(), file
    assert PASSWORD not in said
    assert "search.journal" not in os.listdir(tmp_path / "run")


def _kill_a_worker_that_trains(study: "subprocess.Popen[str]", guards: Path) -> None:
    """Kills a worker process that holds the lock of a trial for a while, so that it trains."""
    children = Path("/proc") / str(study.pid) / "task" / str(study.pid) / "children"
    if not children.exists():
        pytest.skip("needs /proc/PID/task/TID/children of Linux")
    deadline, held = time.monotonic() + 600, dict[str, set[str]]()
    while time.monotonic() < deadline:
        assert study.poll() is None, study.stdout and study.stdout.read()
        before, held = held, {child: _locks_of(child, guards) for child in children.read_text().split()}
        for child, locks in held.items():
            if locks & before.get(child, set()):
                os.kill(int(child), signal.SIGKILL)
                return
        time.sleep(0.3)
    pytest.fail("the trainings did not begin")


def _locks_of(process: str, guards: Path) -> set[str]:
    """Returns the locks of trials that a process has open."""
    opened = set()
    with contextlib.suppress(FileNotFoundError):
        for handle in Path("/proc", process, "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                opened.add(os.readlink(handle))
    return {path for path in opened if path.startswith(f"{guards}/.") and path.endswith(".guard")}


def _require_answer(dashboard: Dashboard) -> None:
    for _ in range(200):
        try:
            answer = urllib.request.urlopen(dashboard.url.replace("dashboard/", "api/studies"), timeout=5).read()
        except OSError:
            time.sleep(0.3)
            continue
        assert b"nasbench201-tiny" in answer
        return
    pytest.fail("the dashboard did not answer")


@pytest.mark.slow
def test_a_run_may_move_between_its_folder_and_a_database(
    tiny: Path, budgets: tuple[str, ...], faster: tuple[str, ...], here_with_workers: RunHere, tmp_path: Path
) -> None:
    url, folder = f"sqlite:///{tmp_path}/studies.db", tmp_path / "run"
    words = (*budgets, *faster, "--set", "search.trials=10", "--set", "search.batch=10")
    assert here_with_workers(tiny, "--output-dir", folder, *words, "--storage", url)[0] == 0
    first = json.loads((folder / "storage.json").read_text())
    assert first["url"] == url
    # Another run of the same name.
    code, _, error = here_with_workers(tiny, "--output-dir", tmp_path / "other", *words, "--storage", url)
    assert code == 2
    assert "nasbench201-tiny in" in error.splitlines()[-1]
    assert "belongs to another run; remove it with: optuna delete-study" in error.splitlines()[-1]
    assert not (tmp_path / "other").exists()
    # On, without the database, and back.
    code, _, error = here_with_workers("--output-dir", folder, "--resume")
    assert code == 0
    assert f"trials are kept in the run folder from now on; they were in {url} before" in error
    assert (folder / "search.journal").exists()
    code, _, error = here_with_workers("--output-dir", folder, "--resume", "--storage", url)
    assert code == 0
    assert json.loads((folder / "storage.json").read_text()) == first
    # Begun again in its folder, it is the same run to the database.
    code, _, error = here_with_workers(
        tiny, "--output-dir", folder, *words, "--overwrite", "--seed", "1", "--storage", url
    )
    assert code == 0, error
    assert json.loads((folder / "storage.json").read_text()) == first
    database = Database(url, "anybody")
    with quiet_optuna():
        assert len(optuna.load_study(study_name="nasbench201-tiny", storage=database.storage).trials) == 10

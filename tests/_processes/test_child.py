"""A child ends with its parent, and leaves interrupts to it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from surrogate_nas._processes.child import interrupts_held, require_main_module, working_folder_left_out
from surrogate_nas._processes.local_workers import LocalWorkers
from tests._processes.worker_tasks import double

PARENT = """
import multiprocessing, sys, time
import pytest

from surrogate_nas._processes.child import begin_child

def child(path):
    begin_child()
    open(path, "w").write(str(multiprocessing.current_process().pid) + "\\n")
    time.sleep(120)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=child, args=(sys.argv[1],))
    process.start()
    process.join()
"""


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return False


@pytest.mark.posix
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script, said = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    parent = subprocess.Popen([sys.executable, str(script), str(said)], env=environment)
    while not (said.exists() and said.read_text().endswith("\n")):
        assert parent.poll() is None
        time.sleep(0.05)
    child = int(said.read_text())
    os.kill(child, signal.SIGINT)
    time.sleep(0.2)
    assert alive(child)
    parent.kill()
    parent.wait()
    for _ in range(600):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


@pytest.mark.posix
def test_interrupts_wait_for_the_end_of_the_block() -> None:
    def waiting() -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())

    with interrupts_held():
        assert waiting()
    assert not waiting()


@pytest.mark.posix
def test_systems_that_cannot_hold_signals_begin_processes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "pthread_sigmask")
    done = []
    with interrupts_held():
        done.append("begun")
    assert done == ["begun"]


def test_children_import_nothing_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("multiprocessing", "pickle"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path; Path('ran').touch()", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with LocalWorkers(1) as workers:
        found: list[int] = []
        workers.run(
            double,
            [4],
            on_result=lambda _, result: found.append(result),
            on_progress=lambda _: None,
            should_stop=lambda: False,
        )
    assert found == [8]
    assert not (tmp_path / "ran").exists()


def test_the_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with working_folder_left_out():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert "PYTHONSAFEPATH" not in os.environ
    monkeypatch.setenv("PYTHONSAFEPATH", "yes")
    with working_folder_left_out():
        pass
    assert os.environ["PYTHONSAFEPATH"] == "yes"


CALL = """
from surrogate_nas._processes.local_workers import LocalWorkers
from surrogate_nas._processes.child import require_main_module
from tests._processes.worker_tasks import double

{check}
with LocalWorkers(1) as workers:
    workers.run(double, [4], on_result=print, on_progress=lambda _: None, should_stop=lambda: False)
"""


def _python(words: list[str], script: str = "") -> str:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    line = [sys.executable, *words]
    done = subprocess.run(line, input=script, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_script_that_workers_cannot_import_is_said_before_any_begins(tmp_path: Path) -> None:
    said = _python(["-"], CALL.format(check="require_main_module()"))
    assert "SettingsError: worker processes cannot import the script <stdin>; put it into a file" in said
    (tmp_path / "script.py").write_text(CALL.format(check="require_main_module()"), encoding="utf-8")
    said = _python([str(tmp_path / "script.py")])
    assert 'call run() under if __name__ == "__main__":' in said
    assert "TrainingError: a worker process cannot begin; a script that calls" in said
    assert "memory" not in said


def test_a_program_given_by_its_text_or_its_name_has_workers() -> None:
    assert _python(["-c", CALL.format(check="require_main_module()")]) == "0 8\n"
    require_main_module()  # pytest's own is a module with a name

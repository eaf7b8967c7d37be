"""A study in a space with a program, the model that is trained of it, and what is done about other people's folders."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.cli.lookup import main as lookup
from surrogate_nas.cli.train import main as train
from surrogate_nas.errors import ProgramError
from surrogate_nas.export.model_folder import load_model
from surrogate_nas.space.operations.registry import forget_all
from tests.space.programs import CHAIN, PROGRAM, write_space

RunQuietly = Callable[..., str]
RunHere = Callable[..., tuple[int, str, str]]
SPACE = CHAIN.replace("layers = 2", "layers = 5")
WRITES = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
NEVER = "is a program that was never run on this machine for a space of yours"


@pytest.fixture(scope="module")
def own_run(
    tiny: Path, faster: tuple[str, ...], run_quietly: RunQuietly, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Returns a folder with a space and the run of a study in it; do not change it."""
    folder = tmp_path_factory.mktemp("own")
    words = ("--set", f'space="{write_space(folder, SPACE)}"', "--output-dir", folder / "run")
    run_quietly(tiny, *words, *faster, "--flops-budget", "60%")
    assert "conv_gelu_k3" in (folder / "run" / "report.html").read_text(encoding="utf-8").replace(" ", "_")
    return folder


@pytest.fixture
def copied(own_run: Path, tmp_path: Path) -> Path:
    """Returns a copy of that folder, and nothing run in this process."""
    forget_all()
    return Path(shutil.copytree(own_run, tmp_path / "own"))


def test_the_run_keeps_the_program_and_goes_on(copied: Path, own_run: Path, here: RunHere) -> None:
    run = copied / "run"
    assert (run / "space.py").read_text(encoding="utf-8") == PROGRAM
    code, _, errors = here("--output-dir", run, "--resume")
    assert code == 0, errors
    assert (own_run / "run" / "labels.h5").stat().st_size == (run / "labels.h5").stat().st_size


def test_a_program_that_was_changed_is_noticed(copied: Path, here: RunHere) -> None:
    words = ("--set", f"space={copied / 'mine.toml'}", "--output-dir", copied / "run", "--resume")
    (copied / "mine.py").write_text(f"{WRITES}{PROGRAM}", encoding="utf-8")
    code, _, errors = here(*words)
    assert code == 2
    said = " ".join(errors.split())
    assert f"mine.py has changed since {copied / 'run'} was started, which keeps it as space.py; restore it" in said
    assert not (copied / "ran").exists()


def test_somebody_elses_run_runs_nothing_until_it_may(
    copied: Path, here: RunHere, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied / "run"
    for program in (copied / "mine.py", run / "space.py"):
        program.write_text(f"{WRITES}{PROGRAM}", encoding="utf-8")
    resolved = (run / "study.toml").read_text(encoding="utf-8")
    line = next(line for line in resolved.splitlines() if line.startswith("space = "))
    own = f'space = "{copied / "mine.toml"}"'
    # A first line of another kind does not make it a study of the user's own.
    (run / "study.toml").write_text(f"\n{resolved.replace(line, own)}", encoding="utf-8")
    capsys.readouterr()
    again = copied / "again"
    for done in (
        here("--output-dir", run, "--resume"),
        here(run / "study.toml", "--output-dir", again),
        (train([str(run)]), "", capsys.readouterr().err),
    ):
        assert done[0] == 2
        assert NEVER in " ".join(done[2].split())
    assert lookup([str(run), "--flops-budget", "60%"]) == 0
    assert [*copied.rglob("ran")] == []
    assert not again.exists()
    assert not own_cache.exists()


@pytest.mark.slow
def test_the_trained_model_is_loaded_where_its_program_may_run(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copied / "run"
    assert train([str(run), "--epochs", "1", "--quiet"]) == 0
    assert (run / "best" / "space.py").read_text(encoding="utf-8") == PROGRAM
    script = "import sys; from surrogate_nas import load_model; print(type(load_model(sys.argv[1])).__name__)"
    line = [sys.executable, "-c", script, str(run / "best")]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "Network\n"
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "other machine"))
    forget_all()
    with pytest.raises(ProgramError, match=NEVER):
        load_model(run / "best")
    assert not load_model(run / "best", trust_program=True).training

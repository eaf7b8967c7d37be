"""Run folders: who may use them, what is removed, and what a run cannot change."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.runs.study_file import read_study


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def begun(folder: RunFolder) -> RunFolder:
    folder.write_settings(read_study("quickstart", {}))
    return folder


def test_an_empty_folder_or_none_may_be_used(folder: RunFolder) -> None:
    folder.check(resume=False, overwrite=False)
    folder.path.mkdir()
    # What a process killed at its beginning leaves is nothing.
    for name in (".lock", ".study.toml.0123abcd.toml", ".environment.json.0123abcd.json"):
        (folder.path / name).touch()
    folder.check(resume=False, overwrite=False)


def test_a_run_may_be_used_as_asked(begun: RunFolder) -> None:
    with pytest.raises(RunFolderError, match="already holds a run"):
        begun.check(resume=False, overwrite=False)
    begun.check(resume=True, overwrite=False)
    begun.check(resume=False, overwrite=True)


@pytest.mark.parametrize("name", ["notes.txt", "labels.h5", ".hidden", ".notes.txt.0123abcd.txt", "study.toml"])
def test_something_else_may_not(name: str, folder: RunFolder) -> None:
    folder.path.mkdir()
    (folder.path / name).write_text("seed = 1", encoding="utf-8")
    with pytest.raises(RunFolderError, match="is not empty and holds no run"):
        folder.check(resume=True, overwrite=True)


def test_a_run_that_lost_its_study_is_said_with_the_ways_back(begun: RunFolder) -> None:
    copy = begun.study.read_bytes()
    begun.study.unlink()
    begun.environment.touch()
    with pytest.raises(RunFolderError, match="holds no run"):
        begun.check(resume=False, overwrite=True)
    (begun.path / "state.json").touch()
    for resume in (False, True):
        with pytest.raises(
            RunFolderError, match=r"has lost its study\.toml: put a copy .* or start over with --overwrite"
        ):
            begun.check(resume=resume, overwrite=False)
    begun.check(resume=False, overwrite=True)
    begun.study.write_bytes(copy)
    begun.check(resume=True, overwrite=False)


def test_a_file_in_the_way_is_named(folder: RunFolder) -> None:
    folder.path.write_text("", encoding="utf-8")
    with pytest.raises(RunFolderError, match="run is a file; choose another"):
        folder.check(resume=False, overwrite=True)


def test_one_process_at_a_time(folder: RunFolder) -> None:
    folder.take()
    with pytest.raises(RunFolderError, match="another process is working in"):
        RunFolder(folder.path).take()
    folder.release()
    assert list(folder.path.iterdir()) == []
    RunFolder(folder.path).take()


@pytest.mark.posix
def test_a_killed_holder_holds_nothing(folder: RunFolder) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from surrogate_nas.runs.run_folder import RunFolder;"
        " RunFolder(Path(sys.argv[1])).take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder.path)], check=False).returncode == -9
    folder.take()
    folder.release()


def test_a_folder_that_cannot_be_written_to_is_named(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(folder.path))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(RunFolderError, match="cannot be written to: Permission denied; choose another --output-dir"):
        folder.take()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_read_only_folder_is_named(folder: RunFolder) -> None:
    folder.path.mkdir(mode=0o500)
    with pytest.raises(RunFolderError, match="cannot be written to: Permission denied"):
        folder.take()


@pytest.mark.posix
@pytest.mark.parametrize(
    "name", ["log.txt", ".lock", "best", "labels.h5", "study.toml", "best/model.onnx", "trainings/deep/er", "mlruns"]
)
def test_no_link_is_followed(name: str, begun: RunFolder, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / ".notes.1234abcd.txt").write_text("mine", encoding="utf-8")
    begun.study.rename(begun.path / "notes.txt")
    link = begun.path / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target / ".notes.1234abcd.txt" if "." in name else target)
    with pytest.raises(RunFolderError, match=f"{name} is a link"):
        begun.take()
    assert (target / ".notes.1234abcd.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.posix
def test_links_of_the_user_beside_the_run_and_to_it_are_no_matter(begun: RunFolder, tmp_path: Path) -> None:
    (begun.path / "photos").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "latest").symlink_to(begun.path)
    folder = RunFolder(tmp_path / "latest")
    folder.take()
    folder.release()


@pytest.mark.posix
def test_clearing_leaves_what_is_not_of_the_run(begun: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "weights").touch()
    (begun.path / "supernets").symlink_to(tmp_path / "elsewhere")
    begun.images.mkdir()
    for name in ("labels.h5", "notes.txt", "log.txt", ".labels.h5.0123abcd.h5", "images/x.npy"):
        (begun.path / name).touch()
    begun.clear()
    assert {entry.name for entry in begun.path.iterdir()} == {"study.toml", "notes.txt"}
    assert (tmp_path / "elsewhere" / "weights").exists()


def test_leftovers_of_killed_processes_are_removed(begun: RunFolder) -> None:
    others = (begun.plots, begun.artifacts, begun.path / "tensorboard")
    for folder in (begun.supernets, begun.networks, begun.models / "333123", *others):
        folder.mkdir(parents=True)
    mine = [folder / name for folder in others for name in ("x.json", ".x.json", "x.0123abcd.json")]
    mine += [begun.path / ".hidden.0123abcd.txt", begun.supernets / "member-0.safetensors", begun.path / ".lock"]
    leftovers = [
        begun.path / ".report.html.0123abcd.html",
        begun.supernets / ".member-0.safetensors.0123abcd.safetensors",
        begun.networks / ".333123-1.safetensors.0123abcd.safetensors",
        begun.models / "333123" / ".model.json.0123abcd.json",
        *(folder / ".x.json.0123abcd.json" for folder in others),
    ]
    for path in (*mine, *leftovers):
        path.touch()
    begun.remove_leftovers()
    assert all(path.exists() for path in mine)
    assert not any(path.exists() for path in leftovers)


def test_the_first_setting_that_differs_is_named(begun: RunFolder) -> None:
    begun.require_same(read_study("quickstart", {"budget.latency": "3ms", "predictor.steps": 5, "labels.count": 50}))
    with pytest.raises(
        RunFolderError, match="was started with seed = 0, not 4; use another --output-dir, or --overwrite"
    ):
        begun.require_same(read_study("quickstart", {"seed": 4, "supernet.steps": 5}))
    with pytest.raises(RunFolderError, match=r"supernet\.bands = nothing, not"):
        begun.require_same(read_study("quickstart", {"supernet.bands": [[0], [1, 2, 3]]}))
    begun.study.write_text("seed =", encoding="utf-8")
    with pytest.raises(SettingsError, match="start over with --overwrite"):
        begun.require_same(read_study("quickstart", {}))


def test_settings_of_a_stage_with_files_of_its_own_are_free_until_there_are_any(begun: RunFolder) -> None:
    other = read_study("quickstart", {"training.learning_rate": 0.01, "gradient.method": "darts"})
    begun.require_same(other)
    begun.distributions.mkdir(parents=True)
    with pytest.raises(
        RunFolderError, match=r"gradient\.method = 'none', not 'darts'; remove supernets/gradient from it"
    ):
        begun.require_same(other)
    begun.distributions.rmdir()
    begun.rivals.touch()  # none of them was trained
    begun.require_same(other)
    begun.networks.mkdir()
    begun.trainings.touch()
    expected = "remove trainings.h5, trainings, rivals.json from it to do this stage again"
    with pytest.raises(RunFolderError, match=f"training.learning_rate = .*, not 0.01; {expected}"):
        begun.require_same(other)


def test_digests_follow_the_content_and_not_its_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})

"""The wheel works in an environment of its own, where no checkout is."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.fixtures.tiny_study import REPOSITORY
from tests.package.conftest import build, tracked
from tests.package.test_metadata import copied

pytestmark = pytest.mark.slow
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


class Installed:
    """An environment with the wheel, and the libraries of this one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Nothing of the checkout: neither by a path nor by a folder that is worked in.
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(self, program: str, *words: object, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        line = [str(self.root / SCRIPTS / program), *map(str, words)]
        options = {"capture_output": True, "encoding": "utf-8", "env": self.environment}
        done = subprocess.run(line, cwd=cwd, check=False, **options)  # type: ignore[call-overload]
        assert done.returncode == code, done.stderr
        return done  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    root = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    python = root / SCRIPTS / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True)
    # As a path among others, so that what is installed editable beside these libraries is not found by it.
    place = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout.strip()
    Path(place, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Installed(root)


def test_the_package_is_the_installed_one(installed: Installed, tmp_path: Path) -> None:
    program = "import surrogate_nas, importlib.metadata as m; print(surrogate_nas.__file__, m.version('surrogate_nas'))"
    place, version = installed.run("python", "-c", program, cwd=tmp_path).stdout.split()
    assert Path(place).is_relative_to(installed.root)
    assert version == "0.1.0"


def test_every_command_shows_its_help(installed: Installed, tmp_path: Path) -> None:
    assert "Usage: surrogate-nas" in installed.run("surrogate-nas", "--help", cwd=tmp_path).stdout
    for command in ("study", "report", "lookup", "train", "predict", "hardware", "space"):
        assert f"Usage: surrogate-nas {command}" in installed.run("surrogate-nas", command, "-h", cwd=tmp_path).stdout
        installed.run("python", "-m", f"surrogate_nas.{command}", "-h", cwd=tmp_path)
    installed.run("python", "-m", "surrogate_nas", "--version", cwd=tmp_path)


def test_spaces_and_studies_are_in_it(installed: Installed, tmp_path: Path) -> None:
    assert "quick: " in installed.run("surrogate-nas", "space", "check", "quick", cwd=tmp_path).stdout
    for study in ("quickstart", "cifar10"):
        installed.run("surrogate-nas", "study", study, "--dry-run", cwd=tmp_path)


def test_a_study_runs_and_its_hints_are_commands_that_work(
    installed: Installed, tiny: Path, budgets: tuple[str, ...], faster: tuple[str, ...], tmp_path: Path
) -> None:
    words = ("study", tiny, "--output-dir", "my run", *budgets, *faster)
    done = installed.run("surrogate-nas", *words, cwd=tmp_path)
    assert "surrogate-nas lookup 'my run' --latency-budget 20%" in done.stdout + done.stderr
    found = installed.run("surrogate-nas", "lookup", "my run", "--latency-budget", "20%", "--json", cwd=tmp_path)
    assert json.loads(found.stdout)["feasible"]
    again = installed.run("surrogate-nas", "report", "my run", cwd=tmp_path)
    assert str(Path("my run", "report.html")) in again.stdout
    refused = installed.run("surrogate-nas", "report", ".", cwd=tmp_path, code=2)
    assert "surrogate-nas study images32 --data FOLDER" in refused.stderr


# What is in the files


def test_the_source_distribution_has_every_file_of_the_checkout(unpacked: Path) -> None:
    missing = [name for name in tracked() if not (unpacked / name).is_file()]
    assert missing == []


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {name for name in tracked() if name.startswith("surrogate_nas/")}
    definitions = {
        f"surrogate_nas/_definitions/{name}"
        for name in tracked()
        if name.startswith(("spaces/", "studies/")) and name.endswith(".toml")
    }
    assert names >= package | definitions
    assert {name for name in names - package if not name.startswith("surrogate_nas/_definitions/")} == set()
    assert "surrogate_nas/py.typed" in names


def test_the_files_that_a_container_gets_make_the_same_wheel(
    wheel: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in copied():
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(REPOSITORY / name, tmp_path / name)
    other = build(tmp_path, "wheel", tmp_path_factory.mktemp("of_container"))
    assert sorted(zipfile.ZipFile(other).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())

"""Builds the distributions of the checkout."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.fixtures.tiny_study import REPOSITORY


def build(source: Path, kind: str, place: Path) -> Path:
    """Returns the file that the build backend makes of a source tree: ``sdist`` or ``wheel``."""
    line = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(place)]
    subprocess.run(line, cwd=source, check=True, capture_output=True)
    [made] = place.iterdir()
    return made


def tracked() -> list[str]:
    """Returns the files of the checkout that git knows."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name and (REPOSITORY / name).is_file()]


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the source distribution, built of the files that git knows and no others."""
    source = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, source / name)
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its content."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    [root] = folder.iterdir()
    return root


@pytest.fixture(scope="session")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the wheel that the source distribution makes by itself, with no checkout around."""
    return build(unpacked, "wheel", tmp_path_factory.mktemp("wheel"))

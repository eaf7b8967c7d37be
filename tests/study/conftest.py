"""A study that takes seconds, run once as a user would, and ways to run it again and to damage copies of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.space.space import Codes
from surrogate_nas.study.__main__ import main
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.prepare import Prepared, prepare
from surrogate_nas.study.read_study import read_resolved
from surrogate_nas.study.run_folder import RunFolder

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TINY = """\
[data]
max_images = 300
recalibration_images = 20

[network]
channels = 4
cells = 1

[supernet]
split = "nonlinear"
groups = 2
channels = 4
cells = 1
steps = 40
batch_size = 16
checkpoint_seconds = 0.001

[labels]
count = 40
validation_images = 60

[predictor]
zero_cost = false
steps = 20
ensemble = 2
folds = 2

[search]
trials = 40
batch = 20
finalists = 2

[hardware]
device = "cpu"
whole_networks = 4
timing = { seconds = 0.005, min_repeats = 3, max_repeats = 5, attempts = 1 }
"""
# A latency that any measurement keeps, however busy the machine, and a cost that is what it is.
BUDGETS = ("--latency-budget", "1s", "--flops-budget", "40%")
Run = Callable[..., subprocess.CompletedProcess[str]]
RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Measurements of the whole session: the user's own are neither read nor written, and nothing is measured twice."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURROGATE_NAS_CACHE", str(folder))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]))
        patch.setenv("COLUMNS", "100")
        yield folder


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As a study has it: sums depend on how many there are."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the tiny study."""
    path = tmp_path_factory.mktemp("studies") / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def budgets() -> tuple[str, ...]:
    """The budgets of the tiny study, as words of its command line."""
    return BUDGETS


@pytest.fixture(scope="session")
def command() -> Run:
    """Runs the study command in a process of its own."""

    def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "surrogate_nas.study", *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]

    return run


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> RunHere:
    """Runs the study command in this process: exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def finished_command(
    tiny: Path, budgets: tuple[str, ...], command: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """Run folder, standard output and standard error of the tiny study."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    done = command(tiny, "--output-dir", folder, *budgets)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, done.stderr


@pytest.fixture(scope="session")
def finished(finished_command: tuple[Path, str, str]) -> Path:
    """The run folder of the tiny study; do not change it."""
    return finished_command[0]


@pytest.fixture
def run_copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of that run folder, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture(scope="session")
def prepared(finished: Path) -> Prepared:
    """What the stages of the tiny study share."""
    settings = read_resolved(finished / "study.toml", {})
    return prepare(settings, RunFolder(finished), StudyConsole(quiet=True), lambda: False)


class Stopwatch:
    """Costs of a study with made-up measurements: a factor on what was predicted."""

    can_measure = True

    def __init__(self, prepared: Prepared, factors: Callable[[int], float]) -> None:
        self._prepared, self._factors = prepared, factors
        self.calls: list[int] = []

    def measure_architectures(self, codes: Codes) -> list[Measurement]:
        self.calls.append(len(codes))
        predicted = self._prepared.table.evaluate(codes)["latency_ms"]
        factor = self._factors(len(self.calls))
        return [Measurement(factor * value, 0.0, 9, 0, False, "2026-01-01T00:00:00+00:00") for value in predicted]


@pytest.fixture
def measuring(prepared: Prepared) -> Callable[[Callable[[int], float]], tuple[Prepared, Stopwatch]]:
    """The tiny study with measurements that are a factor, given the number of the call, on what was predicted."""

    def make(factors: Callable[[int], float]) -> tuple[Prepared, Stopwatch]:
        stopwatch = Stopwatch(prepared, factors)
        return replace(prepared, cost_model=stopwatch), stopwatch  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def mixed_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two classes, images of three modes, four sizes and three formats."""
    folder = tmp_path_factory.mktemp("mixed")
    rng = np.random.default_rng(0)
    sizes, modes, endings = [(8, 8), (12, 9), (8, 8), (30, 17)], ["RGB", "L", "RGBA"], ["png", "bmp", "webp"]
    for index in range(120):
        label = "bright" if index % 2 else "dark"
        (folder / label).mkdir(exist_ok=True)
        width, height = sizes[index % 4]
        pixels = rng.integers(0, 120, size=(height, width, 4)) + (120 if index % 2 else 0)
        mode = modes[index % 3]
        image = Image.fromarray(pixels.astype(np.uint8), "RGBA").convert(mode)
        image.save(folder / label / f"{index:03}.{'png' if mode == 'RGBA' else endings[index % 3]}")
    return folder


def _hashes(folder: Path) -> dict[str, bytes]:
    ignored = {"log.txt", ".lock"}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in ignored]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a folder by name, but for the log, which may grow, and the lock."""
    return _hashes

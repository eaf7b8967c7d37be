"""Every runtime that is installed writes files that compute what torch computes."""

import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.export.quantization import write_int8
from surrogate_nas.export.runtimes.protocol import Runtime, Source
from surrogate_nas.export.runtimes.table import EXPORTS

BATCH = 2
SLOW = ("executorch",)


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in EXPORTS])
def name(request: pytest.FixtureRequest) -> str:
    """Returns the name of a runtime, if it is installed here."""
    if importlib.util.find_spec(EXPORTS[request.param].package) is None:
        pytest.skip(f"needs {request.param}")
    return str(request.param)


@pytest.fixture
def source(exported: Path, model: Any, tmp_path: Path) -> Source:  # noqa: ANN401
    small = tmp_path / "small.onnx"
    write_int8(small, exported, model.images, model.description)
    paths = {"float": exported, "int8": small}
    return Source(model.network, paths, model.images, model.description, BATCH)


@pytest.mark.parametrize(("precision", "tolerance"), [("float", 1e-5), ("int8", 0.1)])
def test_a_file_computes_what_torch_computes(
    name: str, source: Source, folder: Path, precision: str, tolerance: float
) -> None:
    runtime: Runtime = EXPORTS[name].make()
    files = [folder / file for file in EXPORTS[name].files(precision)]
    runtime.write(files, source, precision)
    assert sorted(folder.iterdir()) == sorted(files)
    assert any(b"surrogate_nas model" in file.read_bytes() for file in files)  # mean and std are inside
    score = runtime.open(files[0], BATCH, 1)
    images = source.calibration[:BATCH]
    with torch.no_grad():
        expected = source.network(images).numpy()
    difference = np.abs(score(images.numpy()) - expected).max()
    assert difference < tolerance
    assert (precision == "int8") == (difference > 1e-4)
    # Scores stay when the next images come.
    first = score(images.numpy())
    assert (first != score(source.calibration[BATCH : 2 * BATCH].numpy())).any()
    np.testing.assert_array_equal(first, score(images.numpy()))


def test_on_one_thread_the_calling_thread_does_the_work(name: str, source: Source, folder: Path) -> None:
    runtime: Runtime = EXPORTS[name].make()
    files = [folder / file for file in EXPORTS[name].files("float")]
    runtime.write(files, source, "float")
    score, images = runtime.open(files[0], BATCH, 1), source.calibration[:BATCH].numpy()
    score(images)
    thread, process = time.thread_time(), time.process_time()
    for _ in range(300):
        score(images)
    # The clock of measured latencies is the thread's.
    assert time.thread_time() - thread > 0.8 * (time.process_time() - process)

"""The runner computes correctly, and needs no other part of this project."""

import ast
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.hardware.measurement import summarize
from surrogate_nas.hardware.transfer import remote_runner


def test_it_needs_numpy_and_onnxruntime_alone() -> None:
    tree = ast.parse(Path(str(remote_runner.__file__)).read_text(encoding="utf-8"))
    imports = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    others = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert others == {"__future__", "collections.abc", "typing"}
    assert imports - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_samples_are_summarised_as_at_home() -> None:
    samples = np.random.default_rng(0).gamma(9, 1e-4, 200)
    ours, theirs = summarize(samples, 0.1), remote_runner.summarize(samples, 0.1)
    for name in ("median_ms", "iqr_ms", "repeats", "disturbed", "noisy"):
        assert theirs[name] == pytest.approx(getattr(ours, name))


def test_runs_are_timed_in_turns() -> None:
    order: list[int] = []
    remote_runner.measure([lambda: order.append(0), lambda: order.append(1)], seconds=0, repeats=4)
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes >= 4


def test_a_folder_without_a_manifest_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: manifest\.json cannot be read"):
        remote_runner.read_manifest(str(tmp_path))

"""Networks of a small space are trained by themselves, each the same with the same seed."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quick_truth import distinct_codes, main, table, train_all
from surrogate_nas.errors import SettingsError
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.load import load_space
from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_one_seed_one_accuracy_and_a_file_that_is_read_as_truth(tmp_path: Path) -> None:
    space = load_space("quick")
    codes = distinct_codes(space)[[5, 30]]
    first, again = (train_all(space, codes, None, epochs=1, seeds=1) for _ in range(2))
    assert np.array_equal(first, again)
    (tmp_path / "truth.csv").write_text(table(space, codes, first))
    read = read_truth(tmp_path / "truth.csv", space, "mean").accuracy_percent
    np.testing.assert_allclose(read[space.index(codes)], first[:, 0], atol=0.005)


def test_the_kept_file_has_every_class_of_the_space() -> None:
    space = load_space("quick")
    truth = read_truth(REPOSITORY / "tests" / "assets" / "quick_truth.csv", space, "mean").accuracy_percent
    known = np.isfinite(truth)
    assert known.sum() >= len(distinct_codes(space))
    assert truth[known].min() > 30


def test_a_large_space_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match="at most 5,000"):
        distinct_codes(load_space("nasbench201"))
    assert main(["--output", str(tmp_path / "t.csv"), "--space", "darts"]) == 2
    assert capsys.readouterr().err.startswith("error: ")

"""The command on a file of scores, and what it says of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.zero_cost import main
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.zero_cost.cached import distinct_codes
from surrogate_nas.zero_cost.settings import VOTES
from surrogate_nas.zero_cost.table import write_table


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, space = tmp_path_factory.mktemp("scores"), load_space("nasbench201")
    codes = distinct_codes(space)
    values = np.random.default_rng(0).normal(size=(len(codes), len(VOTES)))
    values[:, 0] = space.nonlinear_count(codes)
    write_table(folder / "scores", ClassTable(space, tuple(VOTES), codes, values), "made up")
    every = space.all_codes()[::25]
    rows = zip(space.digits(every), (50 + space.nonlinear_count(every)).tolist(), strict=True)
    (folder / "truth.csv").write_text("code,cifar10_test\n" + "".join(f"{code},{value}\n" for code, value in rows))
    return folder / "scores", folder / "truth.csv"


def test_scores_are_compared_with_the_truth(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    scores, truth = files
    assert main(["--scores", str(scores), "--truth", str(truth), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scores"]
    assert found["expressivity"]["tau"] == pytest.approx(1)
    assert set(VOTES) < set(found)
    assert "prior with them" in found


@pytest.mark.slow
def test_halves_are_of_different_classes(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    space, found = load_space("nasbench201"), []
    rows = zip(space.digits(space.all_codes()), space.nonlinear_count(space.all_codes()).tolist(), strict=True)
    files[1].write_text("code,cifar10_test\n" + "".join(f"{code},{50 + count}\n" for code, count in rows))
    for half in ("choose", "report"):
        assert main(["--scores", str(files[0]), "--truth", str(files[1]), "--half", half, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["scores"])
    assert [scores["depth"]["tau"] for scores in found] == pytest.approx([1, 1])
    assert found[0]["naswot"] != found[1]["naswot"]
    assert main(["--scores", str(files[0]), "--truth", str(files[1]), "--half", "third"]) == 2
    assert "choose or report (got third)" in capsys.readouterr().err


def test_a_file_that_holds_no_scores_is_refused(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scores", str(files[1])]) == 1
    assert "cannot be read" in capsys.readouterr().err

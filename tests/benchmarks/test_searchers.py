"""The comparison of search strategies on made-up labels: definitions of its figures, one optimum, and errors."""

import json

import numpy as np
import pytest

from benchmarks.searchers import SEARCHERS, Contest, contest, figures, fixed_scores, main, scan_row, searched
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def label(space: Space) -> Floats:
    """Returns labels with noise, so that isomorphic codes differ."""
    rng = np.random.default_rng(0)
    return 60 + 5 * space.nonlinear_count(space.all_codes()) + rng.normal(size=space.size)


@pytest.fixture(scope="module")
def truth(label: Floats) -> Floats:
    return label[::-1].copy()


@pytest.fixture(scope="module")
def shared(space: Space, label: Floats, truth: Floats) -> Contest:
    return contest(fixed_scores(space, label, 0, 0), truth, (20, 60), 20, 50)


@pytest.fixture(scope="module")
def files(space: Space, label: Floats, truth: Floats, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("tables") / "labels.csv"
    rows = zip(space.digits(space.all_codes()), label.tolist(), truth.tolist(), strict=True)
    path.write_text("code,one,cifar10_test\n" + "".join(f"{code},{one},{test}\n" for code, one, test in rows))
    return ["--labels", str(path), "--column", "one", "--truth", str(path)]


def test_isomorphic_architectures_have_one_score(space: Space, label: Floats) -> None:
    score = fixed_scores(space, label, 0, 0).score
    classes = space.index(space.canonical(space.all_codes()))
    members = np.flatnonzero(classes == classes[np.argmax(np.bincount(classes)[classes])])
    assert len(members) > 10
    assert np.ptp(score[members]) == 0
    assert score[members[0]] == pytest.approx(label[members].mean())


def test_the_figures_are_of_the_best_scored_proposal_within_the_budget(shared: Contest) -> None:
    proposed = searched(shared, "random", 0)
    found = figures(shared, proposed)
    whole = shared.evaluator.whole_space()
    for at, count in enumerate(shared.trials):
        rows = [row for row in range(count) if proposed.feasible[row]]
        incumbent = max(rows, key=lambda row: proposed.mean[row])
        truths = shared.truth_percent[shared.evaluator.space.index(proposed.codes)]
        assert found["truth"][at] == truths[incumbent]
        assert found["gap"][at] == whole.mean[whole.feasible].max() - proposed.mean[incumbent]
        assert found["visited"][at] == max(truths[row] for row in rows)
    assert not proposed.feasible.all()


def test_whoever_closes_the_gap_has_the_scans_answer(shared: Contest) -> None:
    found = figures(shared, searched(shared, "climb", 0))
    assert found["gap"] == [0, 0]
    assert found["found"] == [1, 1]
    assert found["truth"][0] == scan_row(shared)["truth"]


@pytest.mark.slow
def test_every_strategy_has_a_line(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--trials", "30,15", "--batch", "10", "--seeds", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["trials"] == [15, 30]
    assert [row["sampler"] for row in result["rows"]] == list(SEARCHERS)
    for row in result["rows"]:
        gaps = [mean["mean"] for mean in row["means"]["gap"]]
        assert gaps[0] >= gaps[1] >= 0


def test_the_table_is_markdown(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--samplers", "reinforce", "--trials", "20", "--seeds", "1", "--visited", "--train", "0"]
    assert main([*files, *line]) == 0
    text = capsys.readouterr().out
    assert text.count("| `reinforce` |") == 5
    assert "nan" not in text


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["--samplers", "scan"], "scan"),
        (["--trials", "10,x"], "10,x"),
        (["--train", "20000"], "20000"),
    ],
)
def test_wrong_usage_names_the_option(
    files: list[str], wrong: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, *wrong]) == 2
    error = capsys.readouterr().err
    assert wrong[0] in error
    assert named in error


def test_truth_of_a_part_is_refused(space: Space, label: Floats, truth: Floats) -> None:
    some = truth.copy()
    some[5] = np.nan
    with pytest.raises(SettingsError, match="truth"):
        contest(fixed_scores(space, label, 0, 0), some, (10,), 10, 100)

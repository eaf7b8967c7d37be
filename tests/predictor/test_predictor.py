"""The whole way: labels in, accuracies out, through a file and into another process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import Interrupted, RunFolderError, SettingsError, StoreError
from surrogate_nas.predictor.fusion.priors import ExtraScores
from surrogate_nas.predictor.predictor import FittedPredictor, fit_predictor, load_predictor
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.storage import read_predictor, write_predictor
from surrogate_nas.predictor.training_set import make_training_set
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.testing.spaces import live_operations
from tests.predictor.conftest import Problem


def fit(problem: Problem, settings: PredictorSettings, seed: int = 0, **options: object) -> FittedPredictor:
    return fit_predictor(
        problem.space,
        problem.codes,
        problem.targets,
        problem.accuracy_percent,
        settings,
        seed,
        **options,  # type: ignore[arg-type]
    )


def extra(problem: Problem) -> ExtraScores:
    space, codes = problem.space, problem.space.all_codes()
    distinct = space.codes_at(np.unique(space.index(space.canonical(codes[space.is_connected(codes)]))))
    live = live_operations(space, distinct)[:, None].astype(np.float64)
    return ExtraScores(ClassTable(space, ("live",), distinct, live), {"live": 1.0})


@pytest.fixture(scope="module")
def fused(problem: Problem, quick: PredictorSettings) -> FittedPredictor:
    return fit(problem, quick, extra=extra(problem))


@pytest.fixture(scope="module")
def fitted(problem: Problem, quick: PredictorSettings) -> FittedPredictor:
    return fit(problem, quick, baselines={"none": np.zeros(len(problem.codes))})


def test_predictions_are_in_percent_and_in_the_order_of_the_scores(fitted: FittedPredictor, problem: Problem) -> None:
    every = problem.space.all_codes()
    prediction, scores = fitted.predict(every), fitted.score(every)
    assert np.array_equal(np.argsort(prediction.mean, kind="stable"), np.argsort(scores, kind="stable"))
    assert prediction.mean[problem.space.index(problem.codes)].mean() == pytest.approx(
        problem.accuracy_percent.mean(), abs=2
    )
    assert (prediction.std >= 0).all()


def test_it_finds_the_truth_behind_the_labels(fitted: FittedPredictor, problem: Problem) -> None:
    unseen = problem.space.sample(300, np.random.default_rng(11))
    assert kendall_tau(fitted.predict(unseen).mean, problem.truth(unseen)) > 0.6


@pytest.mark.slow
def test_the_score_may_be_fitted_to_another_label_than_the_accuracy(problem: Problem, quick: PredictorSettings) -> None:
    made = fit_predictor(problem.space, problem.codes, problem.targets**3, problem.accuracy_percent, quick, 0)
    assert made.predict(problem.codes).mean.mean() == pytest.approx(problem.accuracy_percent.mean(), abs=2)


def test_one_seed_one_predictor(problem: Problem, quick: PredictorSettings) -> None:
    short = quick.model_copy(update={"steps": 2})
    first, again, other = (fit(problem, short, seed=seed).score(problem.codes) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_progress_counts_every_model(problem: Problem, quick: PredictorSettings) -> None:
    heard: list[tuple[int, int]] = []
    fit(problem, quick.model_copy(update={"steps": 2}), on_progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 5) for done in range(1, 6)]


def test_it_stops_when_told(problem: Problem, quick: PredictorSettings) -> None:
    with pytest.raises(Interrupted):
        fit(problem, quick, should_stop=lambda: True)


def test_labels_that_cannot_be_used_are_refused(problem: Problem, quick: PredictorSettings) -> None:
    with pytest.raises(SettingsError, match="at least 20"):
        fit_predictor(problem.space, problem.codes[:5], np.arange(5.0), np.arange(5.0), quick, 0)


@pytest.mark.slow
def test_the_recipe_decides_what_joins_the_labels(
    fused: FittedPredictor, problem: Problem, quick: PredictorSettings
) -> None:
    alone = fit(problem, quick.model_copy(update={"recipe": "labels"}), extra=extra(problem))
    assert alone.fusion is None
    assert fused.fusion is not None
    joined, labels = fused.cross_validation, alone.cross_validation
    assert joined.labels_tau == labels.tau == labels.labels_tau
    # The figures are of the scores that rank, and so is the scale of the calibration.
    held_out = fused.fusion(problem.codes, Prediction(labels.out_of_fold, np.zeros(len(problem.codes)))).mean
    np.testing.assert_allclose(joined.out_of_fold, held_out)
    units = make_training_set(problem.space, problem.codes, problem.targets, problem.accuracy_percent, True)
    assert joined.tau == kendall_tau(units.mean_over_labels(held_out, "scores"), units.targets) != labels.tau
    away = units.accuracy_percent - fused.calibration.accuracy_percent(units.mean_over_labels(held_out, "scores"))
    assert np.sqrt(np.mean(away**2)) == pytest.approx(fused.calibration.residual_percent)
    live = live_operations(problem.space, problem.space.all_codes()).astype(np.float64)
    every = problem.space.all_codes()
    assert kendall_tau(fused.score(every), live) > kendall_tau(alone.score(every), live)


def test_rank_intervals_hold_most_labels(fused: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    fused.save(tmp_path)
    low, high = load_predictor(tmp_path, problem.space).rank_interval(problem.codes)
    assert np.array_equal(low, fused.rank_interval(problem.codes)[0])
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()
    assert fused.intervals.level == 0.8
    assert 0.6 < fused.intervals.coverage <= 1


def test_a_predictor_without_its_prior_is_refused(fused: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    fused.save(tmp_path)
    path = tmp_path / "predictor.json"
    for scores in (None, {"live": 1.0, "more": 1.0}, {"live": "much"}):
        write_json(path, json.loads(path.read_text()) | {"scores": scores})
        if scores is None:
            assert load_predictor(tmp_path, problem.space).score(problem.codes).shape == (len(problem.codes),)
            continue
        with pytest.raises(StoreError, match="not complete"):
            load_predictor(tmp_path, problem.space)


@pytest.mark.slow
def test_another_process_reads_the_same_scores(
    fitted: FittedPredictor, fused: FittedPredictor, problem: Problem, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "fitted")
    fused.save(tmp_path / "fused")
    program = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from surrogate_nas.space.load import load_space\n"
        "from surrogate_nas.predictor.predictor import load_predictor\n"
        "space = load_space('nasbench201')\n"
        "for name in 'fitted', 'fused':\n"
        "    prediction = load_predictor(Path(sys.argv[1], name), space).predict(space.all_codes()[::5])\n"
        "    np.save(Path(sys.argv[1], name + '.npy'), np.stack([prediction.mean, prediction.std]))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    for name, predictor in (("fitted", fitted), ("fused", fused)):
        here = predictor.predict(problem.space.all_codes()[::5])
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), np.stack([here.mean, here.std]))


def test_evidence_comes_back_with_the_predictor(fitted: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = load_predictor(tmp_path, problem.space)
    assert again.settings == fitted.settings
    assert again.calibration == fitted.calibration
    before, after = fitted.cross_validation, again.cross_validation
    for figure in ("tau", "low", "high", "top10_tau", "top10_low", "top10_high", "regret_percent", "regret_high"):
        assert getattr(after, figure) == getattr(before, figure)
    assert np.isnan(after.baselines["none"])
    assert np.array_equal(after.out_of_fold, before.out_of_fold)
    assert np.array_equal(after.fold, before.fold)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"settings": {"width": 17, "layers": 2, "ensemble": 2}}, "width 17"),
        ({"settings": {"width": "wide"}}, "width"),
        ({"members": []}, "members are needed"),
        ({"members": [{"shift": 0.0}]}, "scale"),
        ({"calibration": {}}, "intercept"),
        ({"calibration": None}, "not complete"),
        ({"calibration": {"intercept": 10**400}}, "int too large"),
        ({"cross_validation": {}}, "tau"),
        ({"intervals": {}}, "level"),
    ],
)
def test_a_description_that_was_meddled_with_is_refused(
    fitted: FittedPredictor, problem: Problem, tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    fitted.save(tmp_path)
    path = tmp_path / "predictor.json"
    write_json(path, json.loads(path.read_text()) | fields)
    with pytest.raises(StoreError, match=message):
        load_predictor(tmp_path, problem.space)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("fusion.weights", np.zeros(3)),
        ("fusion.weights", np.full(3, np.inf)),
        ("fusion.weights", np.ones(4)),
        ("fusion.labels.values", np.zeros((2, 2))),
        ("fusion.labels.ranks", np.zeros(0)),
    ],
)
def test_numbers_that_were_meddled_with_are_refused(
    fused: FittedPredictor, problem: Problem, tmp_path: Path, name: str, values: np.ndarray
) -> None:
    fused.save(tmp_path)
    description, arrays = read_predictor(tmp_path, problem.space)
    content = {key: value for key, value in description.items() if key != "arrays"}
    write_predictor(tmp_path, problem.space, content, {**arrays, name: values})
    with pytest.raises(StoreError, match="not complete"):
        load_predictor(tmp_path, problem.space)


def test_a_predictor_of_another_space_is_not_used(fitted: FittedPredictor, problem: Problem, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    path = tmp_path / "predictor.json"
    write_json(path, json.loads(path.read_text().replace(problem.space.fingerprint, "f" * 16)))
    with pytest.raises(RunFolderError, match="f" * 16):
        load_predictor(tmp_path, problem.space)

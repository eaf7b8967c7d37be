"""Members differ, are put on one scale, and agree on isomorphic cells."""

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError, TrainingError
from surrogate_nas.predictor.ensemble import Ensemble, Member, derived_seed, fit_member
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from tests.predictor.conftest import Problem, always


class Fixed:
    """Scorer with a fixed answer: a factor times the first decision."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def fit(self, codes: Codes, targets: Floats, **options: object) -> None: ...

    def score(self, codes: Codes) -> Floats:
        return self.factor * codes[:, 0].astype(np.float64)

    def arrays(self) -> Arrays:
        return {}


@pytest.fixture(scope="module")
def fitted(problem: Problem, quick: PredictorSettings) -> Ensemble:
    made = Ensemble(problem.space, quick)
    made.fit(problem.space.canonical(problem.codes), problem.targets, seed=0)
    return made


def test_mean_and_spread_are_those_of_the_members(problem: Problem, quick: PredictorSettings) -> None:
    raw = quick.model_copy(update={"canonical": False})
    made = Ensemble(problem.space, raw, [Member(Fixed(2.0), 1.0, 2.0), Member(Fixed(4.0), 0.0, 1.0)])
    prediction = made.predict(np.array([[3, 0, 0, 0, 0, 0]], dtype=np.int8))
    assert prediction.mean.tolist() == [(2.5 + 12.0) / 2]
    assert prediction.std[0] == pytest.approx(np.std([2.5, 12.0], ddof=1))


def test_a_member_has_mean_0_and_deviation_1_where_it_was_fitted(problem: Problem, quick: PredictorSettings) -> None:
    member = fit_member(problem.space, quick, problem.codes, problem.targets, seed=0)
    scores = member.score(problem.codes)
    assert scores.mean() == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, abs=1e-6)


def test_members_differ_and_so_have_a_spread(fitted: Ensemble, problem: Problem) -> None:
    assert (fitted.predict(problem.codes).std > 0).mean() > 0.9


def test_one_member_has_no_spread(problem: Problem, quick: PredictorSettings) -> None:
    alone = Ensemble(problem.space, quick, [Member(Fixed(1.0), 0.0, 1.0)])
    assert not alone.predict(problem.codes).std.any()


def test_isomorphic_cells_get_exactly_one_prediction(fitted: Ensemble) -> None:
    prediction = fitted.predict(np.array([[3, 0, 0, 0, 1, 0], [0, 3, 0, 0, 0, 1]], dtype=np.int8))
    assert prediction.mean[0] == prediction.mean[1]
    assert prediction.std[0] == prediction.std[1]


def test_predictions_stand_where_their_codes_stand(fitted: Ensemble, problem: Problem) -> None:
    order = np.random.default_rng(0).permutation(len(problem.codes))
    np.testing.assert_allclose(
        fitted.predict(problem.codes[order]).mean, fitted.predict(problem.codes).mean[order], atol=1e-5
    )


def test_each_member_sees_a_resample_of_its_own(
    problem: Problem, quick: PredictorSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[float]] = []

    class Recorder(Fixed):
        def fit(self, codes: Codes, targets: Floats, **_options: object) -> None:
            assert len(codes) == len(targets)
            seen.append(sorted(targets.tolist()))

    monkeypatch.setitem(MODELS, "gcn", always(Recorder(1.0)))
    Ensemble(problem.space, quick).fit(problem.codes, np.arange(120.0), seed=0)
    assert [len(set(targets)) for targets in seen] == [108, 108]
    assert seen[0] != seen[1]


def test_a_member_that_tells_nothing_apart_is_an_error(
    problem: Problem, quick: PredictorSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "gcn", always(Fixed(0.0)))
    with pytest.raises(TrainingError, match="the same score"):
        fit_member(problem.space, quick, problem.codes, problem.targets, seed=0)


def test_nothing_asked_nothing_answered(fitted: Ensemble, problem: Problem) -> None:
    assert len(fitted.predict(problem.codes[:0])) == 0


def test_codes_of_another_width_are_refused(fitted: Ensemble) -> None:
    with pytest.raises(SpaceError, match="7"):
        fitted.predict(np.zeros((1, 7), dtype=np.int8))


def test_it_is_fitted_first(problem: Problem, quick: PredictorSettings) -> None:
    with pytest.raises(RuntimeError, match="fitted before"):
        Ensemble(problem.space, quick).predict(problem.codes)


def test_derived_seeds_differ_by_path() -> None:
    assert len({derived_seed(0), derived_seed(1), derived_seed(0, 0), derived_seed(0, 1), derived_seed(0, 0, 1)}) == 5
    assert derived_seed(5, 1) == derived_seed(5, 1)

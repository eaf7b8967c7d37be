"""Candidates become trials that Optuna, and a list of constraints that the dashboard, reads."""

import warnings

import optuna
from optuna.trial import TrialState, create_trial

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.trials import agree, to_trials
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.space.space import Space


def test_a_trial_tells_everything_about_its_architecture(evaluator: Evaluator) -> None:
    space = evaluator.space
    candidates = evaluator.evaluate(space.check([space.parse("013213")]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [trial] = to_trials(space, candidates)
    assert trial.params == {
        "1<-0": "none",
        "2<-0": "skip_connect",
        "2<-1": "nor_conv_3x3",
        "3<-0": "nor_conv_1x1",
        "3<-1": "skip_connect",
        "3<-2": "nor_conv_3x3",
    }
    assert trial.values == [candidates.mean[0], candidates.costs["latency_ms"][0]]
    assert trial.user_attrs == {
        "architecture": space.format(candidates.codes[0]),
        "code": "013213",
        "predicted_std": candidates.std[0],
        "latency_ms": candidates.costs["latency_ms"][0],
        "params": candidates.costs["params"][0],
    }
    assert trial.system_attrs["constraints"] == candidates.violation[0].tolist()


def test_optuna_agrees_on_what_is_feasible(evaluator: Evaluator) -> None:
    candidates = evaluator.whole_space().take(evaluator.space.index(evaluator.space.all_codes()[::97]))
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler())
    study.add_trials(to_trials(evaluator.space, candidates))
    shown = [all(value <= 0 for value in trial.constraints.values()) for trial in study.trials]
    assert shown == candidates.feasible.tolist()
    assert 0 < sum(shown) < len(shown)
    assert all(candidates.feasible[trial.number] for trial in study.best_trials)


def test_agreement_allows_for_rounding_only(evaluator: Evaluator) -> None:
    space = evaluator.space
    one, other = to_trials(space, evaluator.evaluate(space.all_codes()[[7, 8]]))
    assert agree(one, one)
    assert not agree(other, one)
    value, cost = one.values
    told = one.system_attrs["constraints"]
    for values, constraints, expected in (
        ([value * (1 + 1e-9), cost], told, True),
        ([value + 0.01, cost], told, False),
        ([value, cost], [told[0] + 1e-9, *told[1:]], True),
        ([value, cost], told[:-1], False),  # written before connectivity was a constraint
        ([value, cost], [*told[:-1], -told[-1]], False),
    ):
        stored = create_trial(
            values=values, user_attrs={"code": one.user_attrs["code"]}, system_attrs={"constraints": constraints}
        )
        assert agree(stored, one) is expected
    running = create_trial(state=TrialState.RUNNING, user_attrs={"code": one.user_attrs["code"]})
    assert not agree(running, one)


def test_without_budgets_only_what_is_not_connected_is_infeasible(
    space: Space, predictor: Predictor, costs: CostModel
) -> None:
    # The second has an operation, but no path through it.
    codes = space.check([space.parse(digits) for digits in ("000000", "300000", "000300", "333333")])
    trials = to_trials(space, Evaluator(space, predictor, costs, []).evaluate(codes))
    assert [trial.system_attrs["constraints"] for trial in trials] == [[1.0], [1.0], [-1.0], [-1.0]]
    assert [list(trial.constraints.values()) for trial in trials] == [[1.0], [1.0], [-1.0], [-1.0]]
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler())
    study.add_trials(trials)
    assert {trial.user_attrs["code"] for trial in study.best_trials} <= {"000300", "333333"}

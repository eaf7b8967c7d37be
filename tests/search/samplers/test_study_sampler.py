"""The sampler in an ordinary Optuna study: exact, without repeats, and right about feasibility."""

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import SettingsError
from surrogate_nas.search.candidates import class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.samplers.study_sampler import PredictorSampler
from surrogate_nas.search.settings import ResidualSettings
from surrogate_nas.space.space import Codes, Space


@pytest.fixture
def sampler(evaluator: Evaluator, space: Space, predictor: Predictor, costs: CostModel) -> PredictorSampler:
    return PredictorSampler(space, predictor, costs, evaluator.budgets)


def study_of(sampler: PredictorSampler) -> optuna.Study:
    with quiet_optuna():
        return optuna.create_study(direction="maximize", sampler=sampler)


def code_of(space: Space, trial: optuna.trial.FrozenTrial | optuna.Trial) -> Codes:
    chosen = [decision.choices.index(trial.params[decision.name]) for decision in space.decisions]
    return space.check([chosen])


def ask(study: optuna.Study, space: Space) -> optuna.Trial:
    trial = study.ask()
    for decision in space.decisions:
        trial.suggest_categorical(decision.name, decision.choices)
    return trial


def test_a_batch_is_the_best_of_the_predictor_in_order(
    sampler: PredictorSampler, evaluator: Evaluator, space: Space
) -> None:
    study = study_of(sampler)
    batch = [ask(study, space) for _ in range(12)]
    codes = np.concatenate([code_of(space, trial) for trial in batch])
    whole = evaluator.whole_space()
    proposed = evaluator.evaluate(codes)
    assert proposed.feasible.all()
    assert (np.diff(proposed.mean) <= 0).all()
    assert proposed.mean[0] == whole.mean[whole.feasible].max()
    assert len(set(class_keys(space, codes))) == 12


def test_finished_trials_say_what_is_feasible(sampler: PredictorSampler, space: Space) -> None:
    study = study_of(sampler)
    wild = study.ask()
    study.enqueue_trial({decision.name: decision.choices[3] for decision in space.decisions})
    for trial in (ask(study, space), ask(study, space)):
        study.tell(trial, 50.0)
    study.tell(wild, state=TrialState.FAIL)
    enqueued, proposed = study.trials[1], study.trials[2]
    assert max(enqueued.system_attrs["constraints"]) > 0
    assert max(proposed.system_attrs["constraints"]) <= 0
    assert proposed.user_attrs["architecture"] == space.format(code_of(space, proposed)[0])
    assert {"latency_ms", "params", "code", "predicted"} <= set(proposed.user_attrs)


def test_what_trials_say_changes_what_comes_next(
    evaluator: Evaluator, space: Space, predictor: Predictor, costs: CostModel
) -> None:
    def features(codes: Codes) -> np.ndarray:
        return codes.astype(np.float64)

    learning = PredictorSampler(
        space, predictor, costs, evaluator.budgets, learn=ResidualSettings(smooth=5.0), features=features
    )
    study, plain = study_of(learning), study_of(PredictorSampler(space, predictor, costs, evaluator.budgets))
    for number in range(4):
        # The first is a disappointment, and so is all that is like it.
        study.tell(ask(study, space), 40.0 if number == 0 else 90.0)
        plain.tell(ask(plain, space), 40.0 if number == 0 else 90.0)
    told = [code_of(space, trial) for trial in study.trials]
    assert len({code.tobytes() for code in told}) == 4
    assert [code.tolist() for code in told] != [code_of(space, trial).tolist() for trial in plain.trials]


def test_a_large_space_is_searched_and_never_repeats(large: Evaluator) -> None:
    sampler = PredictorSampler(large.space, large._predictor, large._costs, large.budgets, acquisition="ucb", seed=1)
    study = study_of(sampler)
    codes = []
    for _ in range(3):
        trial = ask(study, large.space)
        codes.append(code_of(large.space, trial))
        study.tell(trial, 80.0)
    assert len(set(class_keys(large.space, np.concatenate(codes)))) == 3
    assert large.evaluate(np.concatenate(codes)).feasible.all()


def test_other_parameters_are_refused(sampler: PredictorSampler) -> None:
    trial = study_of(sampler).ask()
    with pytest.raises(SettingsError, match="the study asks for 'dropout'"):
        trial.suggest_float("dropout", 0, 1)


def test_trials_of_which_one_decision_was_suggested_are_not_proposed_again(
    sampler: PredictorSampler, space: Space
) -> None:
    study, first = study_of(sampler), space.decisions[0]
    for _ in range(4):
        study.ask({first.name: CategoricalDistribution(first.choices)})
    codes = np.stack([space.parse(trial.user_attrs["code"]) for trial in study.trials])
    assert len(set(class_keys(space, codes))) == 4


def test_a_trial_that_was_asked_with_the_decisions_has_them(sampler: PredictorSampler, space: Space) -> None:
    decisions: dict[str, BaseDistribution] = {one.name: CategoricalDistribution(one.choices) for one in space.decisions}
    study = study_of(sampler)
    trial = study.ask(decisions)
    assert space.digits(code_of(space, trial))[0] == study.trials[0].user_attrs["code"]

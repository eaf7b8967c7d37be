"""An Optuna sampler that proposes the best architectures by a predictor, for any study over the decisions of a space.

    sampler = PredictorSampler(space, predictor, costs, [Budget("latency_ms", 5.0)])
    study = optuna.create_study(directions=["maximize"], sampler=sampler)
    trial = study.ask({one.name: CategoricalDistribution(one.choices) for one in space.decisions})
    study.tell(trial, accuracy_percent)

Symbols:
    N: architectures, one per isomorphism class.
    F: features.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import SettingsError
from surrogate_nas.search.acquisition import AcquisitionName, acquire
from surrogate_nas.search.candidates import Candidates, Floats, class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.trials import CODE, CONSTRAINTS
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.samplers.local_search import climb
from surrogate_nas.search.selection import representatives
from surrogate_nas.search.settings import ResidualSettings
from surrogate_nas.search.trainings.residual import ResidualProcess
from surrogate_nas.space.space import Codes, Space

Features = Callable[[Codes], Floats]


class PredictorSampler(BaseSampler):
    """Proposes the feasible architecture with the best acquisition that the study has not seen.

    A space that can be enumerated is scored once, so that the proposal is exactly the best. Elsewhere evolution and
    local search look for it. Isomorphic architectures count as one: an architecture of any trial of the study, running
    ones included, is not proposed again, so batches of ``ask`` and several workers on one storage share the work. An
    architecture that exceeds a budget is proposed only when no other is left. Every finished trial gets its code, its
    costs and its violations as attributes.

    With ``learn`` the values of finished trials correct the predictor by a Gaussian process (``residual``); the first
    objective must then be the accuracy in percent.

    Args:
        space: The search space; parameters are its decisions by name, choices the names of operations.
        predictor: A fitted predictor.
        costs: Costs of architectures; must name every budget's cost.
        budgets: Upper bounds.
        acquisition: ``mean``, ``ucb`` or ``ei``; with ``learn`` the process's own bounds are used instead.
        kappa: Standard deviations that ``ucb`` adds.
        learn: Influence of finished trials on others; None takes the predictor as it is.
        features: Maps codes (N, D) to features (N, F) to compare architectures by, for ``learn``; see ``standardised``.
        seed: Seed of evolution, together with the number of trials; a scan draws nothing.

    Raises:
        BudgetError, SettingsError: If budgets and costs do not fit together.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> import optuna
        >>> from surrogate_nas import PredictorSampler, count_costs, load_predictor, load_space, parse_budget
        >>> space = load_space("quick")
        >>> budget = parse_budget("flops", "18K").resolve([])
        >>> predictor = load_predictor(folder / "predictor", space)
        >>> sampler = PredictorSampler(space, predictor, count_costs(space), [budget])
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(direction="maximize", sampler=sampler)
        >>> def accuracy(trial):
        ...     chosen = [trial.suggest_categorical(one.name, one.choices) for one in space.decisions]
        ...     return float(len(set(chosen)))
        >>> study.optimize(accuracy, n_trials=3)
        >>> [trial.user_attrs["flops"] <= 18_000 for trial in study.trials]
        [True, True, True]
    """

    def __init__(
        self,
        space: Space,
        predictor: Predictor,
        costs: CostModel,
        budgets: Sequence[Budget] = (),
        *,
        acquisition: AcquisitionName = "mean",
        kappa: float = 1.0,
        learn: ResidualSettings | None = None,
        features: Features | None = None,
        seed: int = 0,
    ) -> None:
        self._evaluator = Evaluator(space, predictor, costs, budgets)
        self._space = space
        self._acquisition: AcquisitionName = acquisition
        self._kappa = kappa
        self._learn = learn
        self._features = features or (lambda codes: np.zeros((len(codes), 0)))
        self._seed = seed
        self._listed: tuple[Candidates, list[bytes]] | None = None
        self._process: ResidualProcess | None = None
        self._keys: dict[tuple[int, ...], bytes] = {}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        """Returns one categorical parameter per decision, even if earlier trials had none."""
        return {decision.name: CategoricalDistribution(decision.choices) for decision in self._space.decisions}

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Returns the parameters of the next architecture.

        Raises:
            SettingsError: If the study has seen every architecture.
        """
        finished, pending = self._seen(study, trial)
        pool, keys = self._pool(finished, len(study.get_trials(deepcopy=False)))
        row = self._next(pool, keys, finished, pending)
        code = pool.codes[row]
        study._storage.set_trial_user_attr(trial._trial_id, CODE, self._space.digits(pool.codes[row : row + 1])[0])
        named = zip(self._space.decisions, code.tolist(), strict=True)
        return {decision.name: decision.choices[choice] for decision, choice in named}

    def sample_independent(
        self,
        study: Study,  # noqa: ARG002
        trial: FrozenTrial,  # noqa: ARG002
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002
    ) -> Any:  # noqa: ANN401 - the type of Optuna's parameters
        """Refuses parameters that are not decisions of the space.

        Raises:
            SettingsError: Always.
        """
        known = ", ".join(decision.name for decision in self._space.decisions)
        raise SettingsError(
            f"this sampler proposes the decisions of {self._space.name}, with all of their choices: {known}"
            f" (the study asks for {param_name!r})"
        )

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,  # noqa: ARG002
    ) -> None:
        """Adds the architecture, costs and violations to the trial, for plots and the dashboard."""
        code = self._code(trial)
        if code is None or state != TrialState.COMPLETE:
            return
        known = self._evaluator.evaluate(code)
        costs = {name: float(value[0]) for name, value in known.costs.items()}
        attributes = {"architecture": self._space.format(code[0]), "predicted": float(known.mean[0]), **costs}
        for name, value in attributes.items():
            study._storage.set_trial_user_attr(trial._trial_id, name, value)
        study._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, known.violation[0].tolist())

    def _code(self, trial: FrozenTrial) -> Codes | None:
        """Returns the trial's code, shape (1, D); None where it is not a code of the space.

        A trial of which some decisions are not suggested yet has the code that it was given with the first one.
        """
        try:
            chosen = [decision.choices.index(trial.params[decision.name]) for decision in self._space.decisions]
            return self._space.check([chosen])
        except KeyError:
            return self._space.parse(trial.user_attrs[CODE])[None] if CODE in trial.user_attrs else None
        except ValueError:
            return None

    def _seen(self, study: Study, asking: FrozenTrial) -> tuple[dict[bytes, list[float]], list[bytes]]:
        """Returns values of finished trials by class, and the classes of all others that the study has."""
        finished: dict[bytes, list[float]] = {}
        pending = []
        for trial in study.get_trials(deepcopy=False):
            if trial.number == asking.number:
                continue
            code = self._code(trial)
            if code is None:
                continue
            text = tuple(code[0].tolist())
            if text not in self._keys:
                self._keys[text] = class_keys(self._space, code)[0]
            key = self._keys[text]
            if trial.state == TrialState.COMPLETE and trial.values:
                finished.setdefault(key, []).append(float(trial.values[0]))
            else:
                pending.append(key)
        return finished, [key for key in pending if key not in finished]

    def _pool(self, finished: dict[bytes, list[float]], trials: int) -> tuple[Candidates, list[bytes]]:
        """Returns candidates, one per class, and their keys."""
        if self._space.listable:
            if self._listed is None:
                whole = self._evaluator.whole_space()
                rows = representatives(whole, self._evaluator.whole_classes())
                pool = whole.take(rows[whole.connected[rows]])
                self._listed = pool, class_keys(self._space, pool.codes)
            return self._listed
        rng = np.random.default_rng([self._seed, trials])
        best = max((max(values) for values in finished.values()), default=None)
        start = np.empty((0, self._space.num_decisions), dtype=np.int8)
        pool = climb(self._evaluator, lambda some: self._value(some, best), start, rng)
        return pool, class_keys(self._space, pool.codes)

    def _value(self, pool: Candidates, incumbent: float | None) -> Floats:
        return acquire(pool.mean, pool.std, self._acquisition, self._kappa, incumbent)

    def _next(
        self, pool: Candidates, keys: list[bytes], finished: dict[bytes, list[float]], pending: list[bytes]
    ) -> int:
        """Returns the row of the pool to propose."""
        taken = set(finished) | set(pending)
        free = np.array([key not in taken for key in keys])
        if not free.any():
            raise SettingsError(f"the study has seen all {len(keys)} architectures of {self._space.name}")
        allowed = np.flatnonzero(free & pool.feasible)
        if not len(allowed):
            rows = np.flatnonzero(free)
            return int(rows[np.lexsort((-pool.mean[rows], pool.excess[rows]))[0]])
        if self._learn is not None and finished:
            return self._learnt(pool, keys, finished, pending)
        best = pool.mean[pool.feasible].max()
        value = self._value(pool, float(best))[allowed]
        return int(allowed[np.lexsort((allowed, pool.primary_cost[allowed], -value))[0]])

    def _learnt(
        self,
        pool: Candidates,
        keys: list[bytes],
        finished: dict[bytes, list[float]],
        pending: list[bytes],
    ) -> int:
        """Returns the same after finished trials corrected the scores; classes of infeasible trials are ignored."""
        assert self._learn is not None
        rows = np.flatnonzero(pool.feasible)
        if self._process is None or not self._space.listable:
            self._process = ResidualProcess(pool.mean[rows], self._features(pool.codes[rows]), self._learn)
        position = {keys[row]: at for at, row in enumerate(rows.tolist())}
        known = [(position[key], value) for key, values in finished.items() if key in position for value in values]
        waiting = [position[key] for key in pending if key in position]
        # A batch of one exists, since some feasible candidate is free.
        [chosen] = self._process.next_batch([at for at, _ in known], [value for _, value in known], 1, waiting)
        return int(rows[chosen])

"""Converts architectures to Optuna trials for which Optuna and its dashboard agree on feasibility.

Optuna 5 stores a constraint under ``constraints:<name>`` (``Trial.set_constraint``,
``create_trial(constraints=...)``) and still reads the older list under ``constraints``. optuna-dashboard 0.21 reads
only the list and treats a trial without it as feasible. So the list is written, as a system attribute; no deprecated
function is involved. The dashboard's plots are then correct; only its "Best Trials" card ignores constraints and mixes
in infeasible trials of the front.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from surrogate_nas.search.candidates import Candidates
from surrogate_nas.search.journal.trial_records import trial_lines
from surrogate_nas.space.space import Space

CODE = "code"
CONSTRAINTS = "constraints"
SAME_VALUE = 1e-6


def to_trials(
    space: Space, candidates: Candidates, extra: Mapping[str, str | float] | None = None
) -> list[FrozenTrial]:
    """Returns one finished trial per candidate.

    Parameters are the decisions by name with operations as choices; values are predicted accuracy and primary cost;
    user attributes are the architecture as text, its digits, the prediction's spread and every cost; constraints are
    the B + 1 violations, so an architecture without a path from input to output is shown as infeasible everywhere.
    """
    distributions: dict[str, BaseDistribution] = {
        decision.name: CategoricalDistribution(decision.choices) for decision in space.decisions
    }
    digits = space.digits(candidates.codes)
    trials = []
    for row, code in enumerate(candidates.codes):
        named = zip(space.decisions, code.tolist(), strict=True)
        costs = {name: float(values[row]) for name, values in candidates.costs.items()}
        trials.append(
            create_trial(
                values=[float(candidates.mean[row]), *(costs[name] for name in candidates.objectives)],
                params={decision.name: decision.choices[choice] for decision, choice in named},
                distributions=distributions,
                user_attrs={
                    "architecture": space.format(code),
                    CODE: digits[row],
                    "predicted_std": float(candidates.std[row]),
                    **costs,
                    **(extra or {}),
                },
                system_attrs={CONSTRAINTS: [float(value) for value in candidates.violation[row]]},
            )
        )
    return trials


@dataclass(frozen=True)
class TrialBatch:
    """Candidates that are converted to trials on demand.

    Attributes:
        space: The search space.
        candidates: N candidates.
        extra: More user attributes, the same for all.
    """

    space: Space
    candidates: Candidates
    extra: Mapping[str, str | float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidates)

    def __getitem__(self, rows: slice) -> "TrialBatch":
        return replace(self, candidates=self.candidates.take(np.arange(len(self))[rows]))

    def trials(self) -> list[FrozenTrial]:
        """Returns the trials as Optuna's objects."""
        return to_trials(self.space, self.candidates, self.extra)

    def lines(self, study_id: int, *, light: bool = False) -> list[str]:
        """Returns the trials as lines of a journal; light ones omit everything that follows from the code."""
        return trial_lines(self.space, self.candidates, study_id, self.extra, light=light)


def agree(stored: FrozenTrial, proposed: FrozenTrial) -> bool:
    """Returns whether a stored trial is the proposed one: equal code, values and constraints equal up to rounding."""
    if stored.state != TrialState.COMPLETE or stored.user_attrs.get(CODE) != proposed.user_attrs[CODE]:
        return False
    known, expected = ([*trial.values, *trial.system_attrs.get(CONSTRAINTS, ())] for trial in (stored, proposed))
    # Other constraints mean another notion of feasibility, as in the journal of an earlier version.
    return len(known) == len(expected) and all(
        math.isclose(one, other, rel_tol=SAME_VALUE, abs_tol=SAME_VALUE)
        for one, other in zip(known, expected, strict=True)
    )

"""Formats trials as lines of an Optuna journal, a batch at a time.

Optuna makes an object, several checks and a replay for every trial; architectures of one space differ only in numbers
and a few words. The lines equal those that ``JournalStorage.create_new_trial`` writes for the trials of
``search.journal.trials.to_trials``; a test compares the two. A light line omits everything that follows from the code:
parameters with their distributions, which are most of a record, and the architecture in words. Optuna and its
dashboard read both.

Symbols:
    N: architectures.
    D: decisions.
"""

import datetime
import json
from collections.abc import Mapping, Sequence

import numpy as np
from optuna.distributions import CategoricalDistribution, distribution_to_json
from optuna.trial import TrialState

from surrogate_nas.search.candidates import Candidates, Floats
from surrogate_nas.space.codes import joined
from surrogate_nas.space.space import Codes, Space

_CREATE_TRIAL = 4
_WORKER = "surrogate_nas"


def trial_lines(
    space: Space,
    candidates: Candidates,
    study_id: int,
    extra: Mapping[str, str | float] | None = None,
    *,
    light: bool = False,
) -> list[str]:
    """Returns one line of JSON per candidate, without line ends.

    Args:
        space: The search space.
        candidates: N candidates.
        study_id: Number of the study in the journal.
        extra: More user attributes, the same for all.
        light: Whether to omit parameters and the architecture in words.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    head = (
        f'{{"op_code":{_CREATE_TRIAL},"worker_id":"{_WORKER}","study_id":{study_id},"datetime_start":"{now}",'
        f'"state":{int(TrialState.COMPLETE)},"value":null,"values":['
    )
    shared = "".join(f",{_text(name)}:{_text(value)}" for name, value in (extra or {}).items())
    columns = [candidates.mean, *(candidates.costs[name] for name in candidates.objectives)]
    parts = zip(
        _rows(columns),
        [""] * len(candidates) if light else _described(space, candidates.codes),
        space.digits(candidates.codes),
        _numbers(candidates.std),
        _named({name: _numbers(values) for name, values in candidates.costs.items()}),
        _rows(list(candidates.violation.T)),
        strict=True,
    )
    middle = f'],"datetime_complete":"{now}",' + ('"user_attrs":{' if light else "")
    return [
        f'{head}{values}{middle}{described}"code":"{digits}","predicted_std":{std}{costs}{shared}}},'
        f'"system_attrs":{{"constraints":[{violations}]}},"intermediate_values":{{}}}}'
        for values, described, digits, std, costs, violations in parts
    ]


def _described(space: Space, codes: Codes) -> list[str]:
    """Returns distributions, parameters and the architecture in words, up to the next user attribute."""
    distributions = {
        decision.name: distribution_to_json(CategoricalDistribution(decision.choices)) for decision in space.decisions
    }
    start, middle = f'"distributions":{_text(distributions)},"params":{{', '},"user_attrs":{"architecture":'
    return [
        f"{start}{params}{middle}{_text(words)},"
        for params, words in zip(_params(space, codes), space.texts(codes), strict=True)
    ]


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _numbers(values: Floats) -> list[str]:
    # json writes repr, the shortest text that reads back as the same number.
    return [repr(value) for value in np.asarray(values, dtype=np.float64).tolist()]


def _rows(columns: Sequence[Floats]) -> list[str]:
    """Returns the numbers of each row separated by commas."""
    return [",".join(row) for row in zip(*(_numbers(column) for column in columns), strict=True)]


def _named(columns: Mapping[str, list[str]]) -> list[str]:
    """Returns ``,"name":number`` of each row, one after another."""
    names = [f",{_text(name)}:" for name in columns]
    parts = [[name + value for value in values] for name, values in zip(names, columns.values(), strict=True)]
    return ["".join(row) for row in zip(*parts, strict=True)]


def _params(space: Space, codes: Codes) -> list[str]:
    table = [
        [f"{',' if column else ''}{_text(decision.name)}:{choice}" for choice in range(len(decision.choices))]
        for column, decision in enumerate(space.decisions)
    ]
    return joined(codes, table)

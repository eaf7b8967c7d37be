"""Lists what the predictor thinks best of a space that cannot be listed whole, beside the draws from it."""

from collections.abc import Callable, Sequence

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stoppable
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.widen import explore
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores

_STREAM = 3  # of the random draws of a study's seed


def check_sampler(prepared: Prepared) -> None:
    """Refuses a search beyond what is listed where trainings are to be learnt from: they say nothing about the rest.

    Raises:
        SettingsError: If the search is such a one.
    """
    sampler, trainings = prepared.settings.search.sampler, prepared.settings.loop.trainings
    if trainings and not prepared.pool.complete and not SAMPLERS[sampler].within_list:
        within = [name for name, row in SAMPLERS.items() if row.within_list]
        raise SettingsError(
            f"loop.trainings in a space that cannot be listed needs search.sampler to be one of"
            f" {', '.join(within)} (got {sampler!r} with {trainings} trainings)"
        )


def list_the_best(
    prepared: Prepared, scores: SpaceScores, console: StudyConsole, should_stop: Callable[[], bool]
) -> tuple[Prepared, SpaceScores]:
    """What was prepared and its scores, with the best architectures under each set of budgets listed too.

    A space that was listed whole has them already.

    Raises:
        Interrupted: If a stop was asked for.
    """
    if prepared.pool.complete:
        return prepared, scores
    settings = prepared.settings
    with console.progress("best architectures of a space that cannot be listed") as advance:
        found = explore(
            prepared.pool,
            scores,
            prepared.cautious_costs,
            _bounds(prepared),
            np.random.default_rng([settings.seed, _STREAM]),
            kept=settings.pool.kept,
            progress=stoppable(advance, should_stop, "searching"),
        )
    listed = prepared.listing(found)
    return listed, scores.over(listed.pool)


def _bounds(prepared: Prepared) -> list[Sequence[Budget]]:
    """Sets of bounds to search under: along the first budget's cost for the front, the other budgets, the study's own.

    From the tightest to the loosest, since a search under one begins with what those before have found.
    """
    cost = prepared.budgets[0].cost
    values = prepared.bounds[cost]
    shares = np.linspace(0, 100, prepared.settings.pool.steps, endpoint=True)
    limits = np.unique(np.percentile(values[prepared.typical], shares, method="higher"))
    return [*([Budget(cost, float(limit))] for limit in limits), *prepared.also, prepared.budgets]

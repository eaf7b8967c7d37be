"""Runs the search: a sampler proposes, the predictor scores a batch at a time, an Optuna journal keeps every trial."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.candidates import Candidates, concatenate
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.database import Database
from surrogate_nas.search.journal.stored_study import StoredStudy
from surrogate_nas.search.journal.study_journal import JournalHeader, StudyJournal
from surrogate_nas.search.journal.trials import TrialBatch
from surrogate_nas.search.protocol import LearnedDistribution, Predictor, Sampler
from surrogate_nas.search.result import SearchResult, summarise
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.samplers.scan import ScanSampler
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Space

ACCURACY = "predicted accuracy"


def run_search(
    space: Space,
    predictor: Predictor,
    costs: CostModel,
    budgets: Sequence[Budget],
    settings: SearchSettings,
    *,
    seed: int,
    journal: Path | Database,
    study: str,
    inputs: str,
    progress: Callable[[int, int], None] | None = None,
    pool: Pool | None = None,
    distribution: LearnedDistribution | None = None,
) -> SearchResult:
    """Searches for the best architecture within the budgets, as an Optuna study.

    One seed gives one answer, even if the run was killed and repeated: the search runs again from its beginning and
    appends missing trials to the journal.

    Args:
        space: The search space.
        predictor: The fitted predictor.
        costs: Costs of architectures; must name every budget's cost.
        budgets: Upper bounds, all of which must hold; the first one's cost is the study's second objective.
        settings: Sampler, goal and sizes.
        seed: Seed of the sampler (scan draws nothing).
        journal: The journal file, or a database that keeps the trials instead. The Optuna study in it is created,
            resumed, or replaced where it was made from other inputs.
        study: Name of the study; the Optuna study is called ``<space>-<study>``.
        inputs: Hash of the inputs of predictor, costs and distribution; budgets, settings and seed are added here.
        progress: Called with trials done and to do, after each batch is safely on disk; may raise to stop.
        pool: Architectures that a scan goes through; the whole space where it can be enumerated.
        distribution: Proposes architectures to the sampler ``learned``; the others need none.

    Raises:
        BudgetError, SettingsError, CostTableError, StoreError: If the parts do not fit together; see ``Evaluator``.
        RunFolderError: If the journal holds something else; see ``StudyJournal`` and ``StoredStudy``.
    """
    evaluator = Evaluator(space, predictor, costs, budgets, settings.traded, pool, distribution)
    sampler: Sampler = SAMPLERS[settings.sampler].make(evaluator, settings, seed)
    header = _header(evaluator, settings, seed=seed, study=study, inputs=inputs)
    stored = StoredStudy(journal, header) if isinstance(journal, Database) else StudyJournal(journal, header)
    parts: list[Candidates] = []
    done = 0
    while done < settings.trials:
        # Always a whole batch, a generation of NSGA-II; the surplus of the last one is dropped from the study.
        codes = sampler.propose(settings.batch)
        if not len(codes):
            break
        candidates = evaluator.evaluate(codes)
        sampler.observe(candidates)
        parts.append(candidates.take(np.arange(min(len(codes), settings.trials - done))))
        stored.record(TrialBatch(space, parts[-1]))
        done += len(parts[-1])
        if progress is not None:
            progress(done, settings.trials)
    stored.finish()
    notes = list(stored.notes)
    if done < settings.trials:
        notes.append(f"{done} trials of {settings.trials}: the sampler {settings.sampler} has nothing new to propose")
    scanned = isinstance(sampler, ScanSampler)
    return summarise(
        space,
        concatenate(parts),
        evaluator.whole_space() if scanned else None,
        finalists=settings.finalists,
        opened=stored.opened,
        notes=tuple(notes),
        classes=evaluator.whole_classes() if scanned else None,
    )


def study_name(space: Space, study: str) -> str:
    """Returns the name of the Optuna study of a search."""
    return f"{space.name}-{study}"


def _header(evaluator: Evaluator, settings: SearchSettings, *, seed: int, study: str, inputs: str) -> JournalHeader:
    everything = {
        "inputs": inputs,
        "budgets": [[budget.cost, budget.limit] for budget in evaluator.budgets],
        "settings": settings.model_dump(),
        "seed": seed,
    }
    digest = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]
    words = "; ".join(str(budget) for budget in evaluator.budgets) or "none"
    return JournalHeader(
        name=study_name(evaluator.space, study),
        space=evaluator.space.fingerprint,
        inputs=digest,
        metrics=(ACCURACY, evaluator.primary, *([evaluator.second] if evaluator.second else [])),
        attributes={"budgets": words, "sampler": settings.sampler, "goal": settings.goal, "seed": str(seed)},
    )

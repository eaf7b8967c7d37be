"""Every sampler by the name that a study file uses."""

from collections.abc import Callable

from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Sampler
from surrogate_nas.search.samplers.evolution import EvolutionSampler
from surrogate_nas.search.samplers.local_search import ClimbSampler
from surrogate_nas.search.samplers.optuna_samplers import OptunaSampler
from surrogate_nas.search.samplers.scan import ScanSampler
from surrogate_nas.search.settings import SearchSettings

Factory = Callable[[Evaluator, SearchSettings, int], Sampler]


def _optuna(make: Callable[[SearchSettings, int], BaseSampler]) -> Factory:
    # Optuna hands the seed to numpy's old generator, which takes 32 bits.
    return lambda evaluator, settings, seed: OptunaSampler(evaluator, make(settings, seed % 2**32), settings.goal)


def _predictor(evaluator: Evaluator, settings: SearchSettings, seed: int) -> Sampler:
    return ScanSampler(evaluator, settings) if evaluator.pool is not None else ClimbSampler(evaluator, settings, seed)


SAMPLERS: dict[str, Factory] = {
    "predictor": _predictor,
    "scan": lambda evaluator, settings, _: ScanSampler(evaluator, settings),
    "climb": ClimbSampler,
    # What is special about it is which labels the predictor learnt from.
    "segments": _predictor,
    "evolution": EvolutionSampler,
    "random": _optuna(lambda _, seed: RandomSampler(seed=seed)),
    "nsga2": _optuna(lambda settings, seed: NSGAIISampler(population_size=settings.batch, seed=seed)),
    # Multivariate, since the operations of a cell matter together; Optuna does so by itself for one objective only.
    "tpe": _optuna(lambda _, seed: TPESampler(multivariate=True, seed=seed)),
}


def make_sampler(evaluator: Evaluator, settings: SearchSettings, seed: int) -> Sampler:
    """The sampler that the settings name, fresh.

    Raises:
        SettingsError: If it cannot work on this space.
    """
    return SAMPLERS[settings.sampler](evaluator, settings, seed)

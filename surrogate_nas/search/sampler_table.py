"""Table of search strategies: one row each, imported when one is first made.

A row makes a sampler (``surrogate_nas.search.protocol.Sampler``) from an evaluator, settings and a seed, or
raises ``SettingsError`` if the sampler cannot work on the space.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from surrogate_nas._support.late import Late

_PLACE = "surrogate_nas.search.samplers"


@dataclass(frozen=True)
class SamplerRow:
    """Search strategy with the facts that a study needs about it.

    Attributes:
        make: Makes the sampler.
        within_list: Whether it proposes only architectures of the pool, the only ones that trainings inform about.
        labels: Use of a study's labels: on uniform draws, or on segments of the decisions in turn.
        acquires: Whether ``search.acquisition`` ranks its proposals; the others see predicted accuracies alone.
        seeks_front: Whether it can be asked for a Pareto front.
        needs_distribution: Whether it proposes from a distribution that a search by gradients has learnt.
    """

    make: Callable[..., Any]
    within_list: bool = False
    labels: Literal["draws", "segments"] = "draws"
    acquires: bool = False
    seeks_front: bool = True
    needs_distribution: bool = False


SAMPLERS: dict[str, SamplerRow] = {
    "predictor": SamplerRow(Late(f"{_PLACE}.local_search:scan_or_climb"), within_list=True, acquires=True),
    "scan": SamplerRow(Late(f"{_PLACE}.scan:scan"), within_list=True, acquires=True),
    "climb": SamplerRow(Late(f"{_PLACE}.local_search:ClimbSampler"), acquires=True),
    "segments": SamplerRow(
        Late(f"{_PLACE}.local_search:scan_or_climb"), within_list=True, labels="segments", acquires=True
    ),
    "evolution": SamplerRow(Late(f"{_PLACE}.evolution:EvolutionSampler")),
    "reinforce": SamplerRow(Late(f"{_PLACE}.reinforce:ReinforceSampler"), seeks_front=False),
    "learned": SamplerRow(Late(f"{_PLACE}.likeliest:LearnedSampler"), seeks_front=False, needs_distribution=True),
    "random": SamplerRow(Late(f"{_PLACE}.optuna_samplers:random_sampler")),
    "nsga2": SamplerRow(Late(f"{_PLACE}.optuna_samplers:nsga2_sampler")),
    "tpe": SamplerRow(Late(f"{_PLACE}.optuna_samplers:tpe_sampler")),
}

# They choose how long to train, and a predictor's score of an architecture is the same however long.
BY_LENGTHS = ("bohb", "hyperband")

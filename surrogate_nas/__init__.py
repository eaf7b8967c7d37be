"""Neural architecture search under a latency budget.

The names below are the public interface. Each is loaded when it is first used, with what it needs and no more:
``LookupTable`` without torch. ``surrogate_nas.errors`` has all errors, ``surrogate_nas.testing`` the conformance kits.
"""

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "HardwareSettings",
    "LookupTable",
    "NetworkSpec",
    "PredictorSampler",
    "PredictorSettings",
    "SourceLabels",
    "Space",
    "Study",
    "StudyResult",
    "SurrogateNasError",
    "count_costs",
    "fit_predictor",
    "kendall_tau",
    "load_model",
    "load_predictor",
    "load_space",
    "measure",
    "operation",
    "pareto_mask",
    "parse_budget",
    "read_labels",
    "regret",
    "top_tau",
    "train_model",
    "zero_cost_votes",
]

TYPE_CHECKING = False  # as typing has it, which would have to be imported
if TYPE_CHECKING:
    from surrogate_nas.costs.budget import parse_budget
    from surrogate_nas.costs.pareto import pareto_mask
    from surrogate_nas.deploy.classifier import Classifier
    from surrogate_nas.deploy.train.in_python import train_model
    from surrogate_nas.errors import SurrogateNasError
    from surrogate_nas.export.model_folder import load_model
    from surrogate_nas.hardware.counted.analytic import count_costs
    from surrogate_nas.hardware.measure.whole_networks import measure
    from surrogate_nas.hardware.settings import HardwareSettings
    from surrogate_nas.labels.store import read_labels
    from surrogate_nas.lookup.table import LookupTable
    from surrogate_nas.nets.own_operations import operation
    from surrogate_nas.predictor.fusion.zero_cost_votes import zero_cost_votes
    from surrogate_nas.predictor.predictor import fit_predictor, load_predictor
    from surrogate_nas.predictor.settings import PredictorSettings
    from surrogate_nas.predictor.training_set import SourceLabels
    from surrogate_nas.ranking import kendall_tau, regret, top_tau
    from surrogate_nas.search.samplers.study_sampler import PredictorSampler
    from surrogate_nas.space.load import load_space
    from surrogate_nas.space.network import NetworkSpec
    from surrogate_nas.space.space import Space
    from surrogate_nas.study.api import Study, StudyResult

_PLACES = {
    "Classifier": "deploy.classifier",
    "HardwareSettings": "hardware.settings",
    "LookupTable": "lookup.table",
    "NetworkSpec": "space.network",
    "PredictorSampler": "search.samplers.study_sampler",
    "PredictorSettings": "predictor.settings",
    "SourceLabels": "predictor.training_set",
    "Space": "space.space",
    "Study": "study.api",
    "StudyResult": "study.api",
    "SurrogateNasError": "errors",
    "count_costs": "hardware.counted.analytic",
    "fit_predictor": "predictor.predictor",
    "kendall_tau": "ranking",
    "load_model": "export.model_folder",
    "load_predictor": "predictor.predictor",
    "load_space": "space.load",
    "measure": "hardware.measure.whole_networks",
    "operation": "nets.own_operations",
    "pareto_mask": "costs.pareto",
    "parse_budget": "costs.budget",
    "read_labels": "labels.store",
    "regret": "ranking",
    "top_tau": "ranking",
    "train_model": "deploy.train.in_python",
    "zero_cost_votes": "predictor.fusion.zero_cost_votes",
}


def __getattr__(name: str) -> object:
    """Returns the public name, imported now."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]

"""Converts a stack with trained networks to plain arrays, and restores the same stack to the bit.

Restoring fits and predicts nothing again: the predictions for the reference architectures are kept next to their
models, which still predict all others. Start and labels are models of the predictor that keeps the stack; only their
ranks are stored here.

Symbols:
    R: distinct architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.ensemble import Ensemble, Member, make_scorer
from surrogate_nas.predictor.fusion.cached_model import Remembered
from surrogate_nas.predictor.fusion.priors import Prior
from surrogate_nas.predictor.fusion.process import ProcessModel, Standardised
from surrogate_nas.predictor.fusion.rank_mean import Ranked
from surrogate_nas.predictor.fusion.rank_transform import RankTransform
from surrogate_nas.predictor.fusion.stack import Known, SourceStack, tuned_settings
from surrogate_nas.predictor.models.boosting import BoostingScorer
from surrogate_nas.predictor.models.gaussian_process import GaussianProcess
from surrogate_nas.predictor.protocol import Arrays, Codes, FittedModel, Floats, Prediction, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space


def with_prefix(arrays: StoredArrays, prefix: str) -> StoredArrays:
    """Returns the arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def prefixed(arrays: StoredArrays, prefix: str) -> Arrays:
    """Returns the arrays with a prefix before their names."""
    return {f"{prefix}{name}": values for name, values in arrays.items()}


def stack_arrays(stack: SourceStack) -> Arrays:
    """Returns everything that was learnt from trained networks, by name."""
    labels = {} if stack.known.labels is None else {"labels": stack.known.labels}
    kept: Arrays = {"codes": stack.codes, "targets": stack.targets}
    for name, one in {**stack.models, **labels}.items():
        kept |= prefixed(_ranked_arrays(one), f"ranks.{name}.")
    kept |= prefixed(_process_arrays(stack.process), "process.")
    for name, ensemble in (("boosting", stack.boosted), ("tuned", stack.tuned)):
        if ensemble is not None:
            kept |= prefixed(_members_arrays(ensemble), f"{name}.")
    return kept


def restored_stack(
    space: Space,
    settings: PredictorSettings,
    start: FittedModel,
    known: tuple[Prior, FittedModel | None],
    arrays: StoredArrays,
) -> SourceStack:
    """Returns the stack whose ``stack_arrays`` were kept.

    Args:
        space: Space of the codes.
        settings: Settings it was fitted with.
        start: Model without trained networks, as it was given to the fit.
        known: The prior, and the model of a supernet's labels, as they were given to the fit.
        arrays: As kept.

    Raises:
        KeyError: If an array is missing.
        ValueError: If arrays do not belong together.
        StoreError: If the arrays of a member do not belong to it.
    """
    prior, labels = known

    def ranks(name: str, model: FittedModel) -> Ranked:
        return _restored_ranked(space, model, with_prefix(arrays, f"ranks.{name}."))

    all_known = Known(space, prior, ranks("start", start), None if labels is None else ranks("labels", labels))
    of_boosting, of_tuned = with_prefix(arrays, "boosting."), with_prefix(arrays, "tuned.")
    graphs = bool(of_boosting)
    codes, targets = space.check(arrays["codes"]), _floats(arrays["targets"])
    process = _restored_process(space, all_known, with_prefix(arrays, "process."), structure=graphs)
    models = {"start": all_known.start, "process": ranks("process", process)}
    if not graphs:
        return SourceStack(all_known, process, None, None, models, codes, targets)
    networks = tuned_settings(settings)

    boosted = Ensemble(
        space,
        settings,
        [
            Member(BoostingScorer(space, settings, one.arrays, all_known.columns), one.shift, one.scale)
            for one in _members(of_boosting)
        ],
    )
    tuned = Ensemble(
        space,
        networks,
        [Member(make_scorer(space, networks, one.arrays), one.shift, one.scale) for one in _members(of_tuned)],
    )
    models |= {"boosting": ranks("boosting", boosted), "tuned": ranks("tuned", tuned)}
    return SourceStack(all_known, process, boosted, tuned, models, codes, targets)


def _ranked_arrays(one: Ranked) -> Arrays:
    if not isinstance(one.model, Remembered):
        raise TypeError("ranks of a stack belong to remembered models")
    codes = np.array([np.frombuffer(code, dtype=np.int8) for code in one.model.known])
    answers = one.model.answers
    transform = one.transform
    return {
        "codes": codes,
        "mean": answers.mean,
        "std": answers.std,
        "values": transform.values,
        "ranks": transform.ranks,
    }


def _restored_ranked(space: Space, model: FittedModel, arrays: StoredArrays) -> Ranked:
    codes: Codes = space.check(arrays["codes"])
    known = {code.tobytes(): row for row, code in enumerate(codes)}
    answers = Prediction(_floats(arrays["mean"]), _floats(arrays["std"]))
    if len(answers) != len(codes):
        raise ValueError(f"{len(codes)} remembered architectures need as many answers (got {len(answers)})")
    transform = RankTransform(_floats(arrays["values"]), _floats(arrays["ranks"]))
    return Ranked(Remembered(space, model, known, answers), transform)


def _process_arrays(model: ProcessModel) -> Arrays:
    process, groups = model.process, model.groups
    if not isinstance(groups, Standardised):
        raise TypeError("a process of a stack needs standardised groups")
    kept: Arrays = {
        "logarithms": process.logarithms,
        "solved": process.solved,
        "inverse": process.inverse,
        "level": np.array([process.mean]),
    }
    for index, columns in enumerate(process.groups):
        kept |= {f"{index}.columns": columns, f"{index}.means": groups.means[index]}
        kept[f"{index}.spreads"] = groups.spreads[index]
    return kept


def _restored_process(space: Space, known: Known, arrays: StoredArrays, structure: bool) -> ProcessModel:
    count = sum(name.endswith(".columns") for name in arrays)

    def every(what: str) -> tuple[Floats, ...]:
        return tuple(_floats(arrays[f"{index}.{what}"]) for index in range(count))

    groups = Standardised(known.groups(structure), every("means"), every("spreads"))
    process = GaussianProcess(
        every("columns"),
        _floats(arrays["logarithms"]),
        _floats(arrays["solved"]),
        _floats(arrays["inverse"]),
        float(_floats(arrays["level"])[0]),
    )
    networks = len(process.solved)
    if process.inverse.shape != (networks, networks) or any(len(columns) != networks for columns in process.groups):
        raise ValueError("the numbers of a Gaussian process are of different numbers of trained networks")
    return ProcessModel(space, groups, process)


@dataclass(frozen=True)
class _StoredMember:
    arrays: StoredArrays
    shift: float
    scale: float


def _members_arrays(ensemble: Ensemble) -> Arrays:
    kept: Arrays = {"scales": np.array([[member.shift, member.scale] for member in ensemble.members])}
    for index, member in enumerate(ensemble.members):
        kept |= prefixed(member.scorer.arrays(), f"{index}.")
    return kept


def _members(arrays: StoredArrays) -> list[_StoredMember]:
    return [
        _StoredMember(with_prefix(arrays, f"{index}."), shift, scale)
        for index, (shift, scale) in enumerate(_floats(arrays["scales"]).tolist())
    ]


def _floats(values: object) -> Floats:
    return np.array(values, dtype=np.float64)

"""The predictor as other stages use it: fits it to labels, predicts codes, saves and loads it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.files import UNREADABLE
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import SettingsError, StoreError, TrainingError
from surrogate_nas.predictor.ensemble import Ensemble, Member, derived_seed, make_scorer
from surrogate_nas.predictor.evidence.calibration import Calibration, calibrate
from surrogate_nas.predictor.evidence.cross_validation import CrossValidation, FitContext
from surrogate_nas.predictor.evidence.model_choice import candidates, choose_model
from surrogate_nas.predictor.evidence.rank_interval import RankIntervals, rank_intervals
from surrogate_nas.predictor.fusion.fusion import FusedPredictor, Fusion, fuse, restored_fusion
from surrogate_nas.predictor.fusion.priors import ExtraScores, Prior, make_prior
from surrogate_nas.predictor.fusion.rank_transform import reference_codes
from surrogate_nas.predictor.fusion.stack import MINIMUM_TRAINED, SourceStack, fit_stack
from surrogate_nas.predictor.fusion.stack_storage import prefixed, restored_stack, stack_arrays, with_prefix
from surrogate_nas.predictor.protocol import Arrays, Codes, FittedModel, Floats, Prediction, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.storage import DESCRIPTION, read_predictor, write_predictor
from surrogate_nas.predictor.training_set import SourceLabels, make_training_set
from surrogate_nas.space.space import Space

_FIGURES = ("tau", "low", "high", "top10_tau", "top10_low", "top10_high", "regret_percent", "regret_low", "regret_high")


@dataclass(frozen=True)
class FittedPredictor:
    """Ensemble with the line that maps its scores to accuracies, and the evidence for both.

    Attributes:
        space: Space of the codes.
        settings: Settings it was fitted with; where they left the kind of model open, the one that was chosen.
        ensemble: The fitted members.
        calibration: Maps scores to percent accuracy of the labels.
        cross_validation: Quality of the order of ``score`` on architectures that the ensemble did not see.
        intervals: Intervals that held the rank of an architecture's label in 80% of held-out cases.
        fusion: Fusion of the ensemble with the prior; None for labels alone.
        stack: Both joined with trained networks, by ``with_trained``; its scores are ranks. Other methods here do not
            use it: they predict labels.
    """

    space: Space
    settings: PredictorSettings
    ensemble: Ensemble
    calibration: Calibration
    cross_validation: CrossValidation
    intervals: RankIntervals
    fusion: Fusion | None = None
    stack: SourceStack | None = None

    def predict(self, codes: Codes) -> Prediction:
        """Returns accuracy in percent, on the labels' scale, not of trained networks, and the members' disagreement.

        The disagreement shows where members differ about the labels' order. It is not the error of a prediction: on
        recorded supernets of NAS-Bench-201 it is about a quarter of the distance to unseen labels, which
        ``calibration.residual_percent`` estimates. The error of the labels themselves is not in it.

        Args:
            codes: Shape (N, D).

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        return self.calibration.apply(self._scores(codes))

    def score(self, codes: Codes) -> Floats:
        """Returns scores, shape (N,), in the same order as the predicted accuracies; their scale is arbitrary."""
        return self._scores(codes).mean

    def rank_interval(self, codes: Codes) -> tuple[Floats, Floats]:
        """Returns intervals of the rank of each label, from 0 (worst) to 1 (best), that hold in 80% of cases.

        Calibrated on held-out labels; the error of the labels themselves is not in it.

        Args:
            codes: Shape (N, D).

        Returns:
            Lower and upper ends, shape (N,) each.
        """
        return self.intervals(self._scores(codes).mean)

    @property
    def ranking(self) -> FittedModel:
        """Model that orders the whole space best: the stack where trained networks have joined, else this one."""
        return self if self.stack is None else self.stack

    def _scores(self, codes: Codes) -> Prediction:
        followed = self.ensemble.predict(codes)
        return followed if self.fusion is None else self.fusion(codes, followed)

    def with_trained(self, trained: SourceLabels, seed: int) -> "FittedPredictor":
        """Returns the predictor with a stack that also learnt from trained networks; itself if its stack did already.

        Args:
            trained: Accuracies of at least 5 trained networks that are not isomorphic.
            seed: Seed of the fits.

        Raises:
            SettingsError: If the recipe is ``labels``, or the accuracies are unusable.
        """
        if self.fusion is None:
            raise SettingsError(
                "trained networks join a predictor with the recipe fusion (got labels); set predictor.recipe"
            )
        units = make_training_set(self.space, trained.codes, trained.values, trained.values, True, MINIMUM_TRAINED)
        if (
            self.stack is not None
            and np.array_equal(self.stack.codes, units.codes)
            and np.array_equal(self.stack.targets, units.targets)
        ):
            return self
        reference = reference_codes(self.space, derived_seed(seed, 2))
        start, known = _start_of_stack(self.space, self.ensemble, self.fusion)
        stack = fit_stack(self.space, self.settings, start, known, units, reference, derived_seed(seed, 3))
        return replace(self, stack=stack)

    def save(self, folder: Path) -> None:
        """Writes ``predictor.json`` and the file of numbers next to it; an existing predictor is replaced."""
        evidence = self.cross_validation
        numbers: Arrays = {"out_of_fold": evidence.out_of_fold, "fold": evidence.fold}
        numbers |= {"interval.scores": self.intervals.scores, "interval.half_widths": self.intervals.half_widths}
        for index, member in enumerate(self.ensemble.members):
            numbers |= prefixed(member.scorer.arrays(), f"member{index}.")
        content: dict[str, Any] = {
            "settings": self.settings.identity(),
            "members": [{"shift": member.shift, "scale": member.scale} for member in self.ensemble.members],
            "calibration": asdict(self.calibration),
            "intervals": {"level": self.intervals.level, "coverage": _to_json(self.intervals.coverage)},
            "cross_validation": {name: _to_json(getattr(evidence, name)) for name in _FIGURES}
            | {"labels_tau": _to_json(evidence.labels_tau)}
            | {"baselines": {name: _to_json(tau) for name, tau in evidence.baselines.items()}},
        }
        if self.fusion is not None:
            numbers |= prefixed(self.fusion.arrays(), "fusion.")
            content["scores"] = self.fusion.prior.extra.weights if self.fusion.prior.extra else None
        if self.stack is not None:
            numbers |= prefixed(stack_arrays(self.stack), "stack.")
        content["trained_networks"] = 0 if self.stack is None else len(self.stack.codes)
        write_predictor(folder, self.space, content, numbers)


def fit_predictor(
    space: Space,
    codes: Codes,
    targets: ArrayLike,
    accuracy_percent: ArrayLike,
    settings: PredictorSettings,
    seed: int,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    baselines: Mapping[str, ArrayLike] | None = None,
    should_stop: Callable[[], bool] | None = None,
    extra: ExtraScores | None = None,
) -> FittedPredictor:
    """Fits an ensemble to labels, cross-validates it, and calibrates it on held-out scores.

    Args:
        space: Space of the codes.
        codes: Labelled architectures, shape (M, D); an architecture may occur several times.
        targets: Targets of the fit, shape (M,), larger is better: accuracies or minus losses.
        accuracy_percent: Label accuracies, shape (M,), to which the scores are calibrated.
        settings: Settings of the predictor.
        seed: Seed of all random draws: one seed, one predictor.
        on_progress: Called with the number of models fitted and the number to fit.
        baselines: Other scores of the labelled architectures, shape (M,) each, larger is better, such as the number of
            parameters: the cross-validation reports their quality on the same labels.
        should_stop: Called before each step; True ends the fit.
        extra: Extra scores that vote in the prior; the recipe ``labels`` does not use them.

    Raises:
        SettingsError: If labels or baselines cannot be used; no fit has been started then.
        Interrupted: If ``should_stop`` returned True.
        TrainingError: If a fit diverged.

    Example:
        >>> import numpy as np
        >>> from surrogate_nas import PredictorSettings, fit_predictor, load_space
        >>> space = load_space("quick")
        >>> codes = space.all_codes()[::2]
        >>> accuracy = 80 + 2.0 * space.nonlinear_count(codes)
        >>> settings = PredictorSettings(model="ridge", ensemble=2, folds=2)
        >>> predictor = fit_predictor(space, codes, accuracy, accuracy, settings, seed=0)
        >>> predictor.predict(space.all_codes()).mean.shape
        (54,)
    """
    units = make_training_set(space, codes, targets, accuracy_percent, settings.canonical)
    total, done = len(candidates(settings)) * settings.folds + settings.ensemble, 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, total)

    context = FitContext(space, settings, derived_seed(seed, 0), baselines, one_more, should_stop)
    settings, evidence = choose_model(context, units)
    ensemble = Ensemble(space, settings)
    ensemble.fit(units.codes, units.targets, seed=derived_seed(seed, 1), on_member=one_more, should_stop=should_stop)
    held_out = units.mean_over_labels(evidence.out_of_fold, "held-out scores")
    fusion = None
    if settings.recipe == "fusion":
        reference = reference_codes(space, derived_seed(seed, 2))
        scores = ensemble.predict(reference).mean
        fusion = fuse(make_prior(space, reference, extra), reference, scores, settings.given_share)
        held_out = fusion(units.codes, Prediction(held_out, np.zeros(len(held_out)))).mean
        evidence = evidence.joined(held_out, units, context.seed)
    calibration = calibrate(held_out, units.accuracy_percent)
    fold = units.mean_over_labels(evidence.fold, "folds").astype(np.int64)
    intervals = rank_intervals(held_out, units.targets, fold)
    return FittedPredictor(space, settings, ensemble, calibration, evidence, intervals, fusion)


def load_predictor(folder: Path | str, space: Space) -> FittedPredictor:
    """Reads a predictor that ``FittedPredictor.save`` wrote.

    Its predictions are the same to the last bit on the same machine with the same number of threads.

    Raises:
        StoreError: If a file is missing, foreign, damaged, or of another version.
        RunFolderError: If the predictor belongs to another space.

    Example:
        ``folder`` is the run folder of a finished study.

        >>> from surrogate_nas import load_predictor, load_space
        >>> space = load_space("quick")
        >>> predictor = load_predictor(folder / "predictor", space)
        >>> prediction = predictor.predict(space.all_codes())
        >>> len(prediction.mean), len(prediction.std)
        (54, 54)
    """
    folder = expanded(folder)
    description, arrays = read_predictor(folder, space)
    try:
        settings = PredictorSettings.model_validate(description["settings"])
        members = [
            _load_member(space, settings, entry, with_prefix(arrays, f"member{index}."))
            for index, entry in enumerate(description["members"])
        ]
        if len(members) != settings.ensemble:
            raise ValueError(f"{settings.ensemble} members are needed (got {len(members)})")
        calibration = Calibration(**{name: float(value) for name, value in description["calibration"].items()})
        evidence = _load_evidence(description["cross_validation"], arrays)
        intervals = _load_intervals(description["intervals"], arrays)
        ensemble = Ensemble(space, settings, members)
        fusion = _load_fusion(space, settings, description, with_prefix(arrays, "fusion."))
        stack = None
        if fusion is not None and description["trained_networks"]:
            start, known = _start_of_stack(space, ensemble, fusion)
            stack = restored_stack(space, settings, start, known, with_prefix(arrays, "stack."))
    except StoreError:
        raise
    except (*UNREADABLE, LookupError, TypeError, AttributeError, TrainingError) as error:
        raise StoreError(f"{folder / DESCRIPTION} is not complete: {one_line(error)}") from None
    return FittedPredictor(space, settings, ensemble, calibration, evidence, intervals, fusion, stack)


def _start_of_stack(
    space: Space, ensemble: Ensemble, fusion: Fusion
) -> tuple[FusedPredictor, tuple[Prior, FittedModel | None]]:
    return FusedPredictor(space, fusion.prior, ensemble, fusion), (fusion.prior, ensemble)


def _load_member(space: Space, settings: PredictorSettings, entry: dict[str, Any], arrays: StoredArrays) -> Member:
    return Member(make_scorer(space, settings, arrays), float(entry["shift"]), float(entry["scale"]))


def _load_intervals(entry: dict[str, Any], arrays: StoredArrays) -> RankIntervals:
    return RankIntervals(
        np.asarray(arrays["interval.scores"], dtype=np.float64),
        np.asarray(arrays["interval.half_widths"], dtype=np.float64),
        float(entry["level"]),
        _from_json(entry["coverage"]),
    )


def _load_fusion(
    space: Space, settings: PredictorSettings, description: Mapping[str, Any], arrays: StoredArrays
) -> Fusion | None:
    if settings.recipe != "fusion":
        return None
    weights = description["scores"]
    return restored_fusion(space, arrays, None if weights is None else {k: float(v) for k, v in weights.items()})


def _load_evidence(entry: dict[str, Any], arrays: StoredArrays) -> CrossValidation:
    return CrossValidation(
        **{name: _from_json(entry[name]) for name in _FIGURES},
        baselines={name: _from_json(tau) for name, tau in entry["baselines"].items()},
        out_of_fold=np.asarray(arrays["out_of_fold"], dtype=np.float64),
        fold=np.asarray(arrays["fold"], dtype=np.int64),
        # Version 0.1.0 kept the figures of the model of the labels alone.
        labels_tau=_from_json(entry.get("labels_tau", entry["tau"])),
    )


def _to_json(value: float) -> float | None:
    return None if math.isnan(value) else value


def _from_json(value: float | None) -> float:
    return math.nan if value is None else float(value)

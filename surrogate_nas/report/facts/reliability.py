"""Facts on how far labels, predictor and latencies can be trusted."""

from dataclasses import dataclass

from surrogate_nas.report.facts.architectures import Estimate


@dataclass(frozen=True)
class BaselineFacts:
    """Rank agreement of a plain count, or of the predictor where it is a sub-supernet's, with labels.

    Attributes:
        name: ``"parameters"``, ``"effective parameters"`` or ``"nonlinear functions"``; or the sub-supernet's name.
        tau: Kendall's tau with the labels; a count's over the same architectures as the predictor's.
        top10_tau: The same inside the best 10% by label.
    """

    name: str
    tau: float | None
    top10_tau: float | None = None


@dataclass(frozen=True)
class PredictorFacts:
    """The quality of the predictor's order of architectures that it has not seen, against their labels.

    Attributes:
        name: What kind it is.
        tau: Cross-validated Kendall tau with its interval.
        top10_tau: The same inside the best 10% by label.
        regret_percent: Expected regret: best label minus the label of the pick, in percentage points.
        folds: Folds of the cross-validation.
        coverage: Share of out-of-fold labels inside their 80% interval of ranks, 0 to 1.
        baselines: Plain counts to beat.
        top10_low: Lower end of the 95% interval of ``top10_tau``.
        top10_high: Upper end.
        regret_low: Lower end of the 95% interval of ``regret_percent``.
        regret_high: Upper end.
        supernets: Tau of the predictor's scores with the labels of each sub-supernet, where there are several.
        labels_tau: Tau of its model of the labels alone, where that was joined with what is known without labels.
    """

    name: str
    tau: Estimate
    top10_tau: float | None
    regret_percent: float | None
    folds: int
    coverage: float | None = None
    baselines: tuple[BaselineFacts, ...] = ()
    top10_low: float | None = None
    top10_high: float | None = None
    regret_low: float | None = None
    regret_high: float | None = None
    supernets: tuple[BaselineFacts, ...] = ()
    labels_tau: float | None = None


@dataclass(frozen=True)
class LabelFacts:
    """The labels that the predictor learned from.

    Attributes:
        architectures: Number of labelled codes.
        distinct_cells: Number of different computations among them.
        images: Held-out images behind each label.
        lowest_percent: Lowest labelled accuracy.
        median_percent: Median labelled accuracy.
        highest_percent: Highest labelled accuracy.
        error_percent: What chance alone may do to a label of median accuracy, as the images are a sample: half its 95%
            interval, percentage points.
        behind: Number of images that a label rests on: fewer than ``images`` where it is a balanced accuracy of classes
            of unequal size.
        folds: Number of folds of the images that labels are averaged over; 1 where they are not cross-validated.
        probed: Whether a linear probe of pretrained weights made them, on all images.
        validated: Images of the accuracy in the supernet that counts as much as a probe's; None for no such accuracy.
    """

    architectures: int
    distinct_cells: int
    images: int
    lowest_percent: float | None = None
    median_percent: float | None = None
    highest_percent: float | None = None
    error_percent: float | None = None
    behind: int | None = None
    folds: int = 1
    probed: bool = False
    validated: int | None = None

    @property
    def rests_on_all(self) -> bool:
        """True if every image of the study is behind a label."""
        return self.probed or self.folds > 1


@dataclass(frozen=True)
class LatencyFacts:
    """The source of latencies, and the distance between predicted and measured ones.

    Attributes:
        source: Such as ``"profile of every operation on this machine"`` or a table's file name.
        device: What it was measured on.
        measured_here: Whether winners were measured whole on the device of the budget.
        networks: Number of networks measured whole.
        median_error_percent: Median of ``|predicted / measured - 1|`` over them.
        largest_error_percent: Largest of the same.
        noisy_networks: How many of those measurements were noisy.
    """

    source: str
    device: str
    measured_here: bool
    networks: int = 0
    median_error_percent: float | None = None
    largest_error_percent: float | None = None
    noisy_networks: int = 0


@dataclass(frozen=True)
class TrustFacts:
    """Facts on how far the answer can be trusted."""

    labels: LabelFacts
    predictor: PredictorFacts
    latency: LatencyFacts | None = None

"""Facts of off-the-shelf networks at the budgets of a study."""

from dataclasses import dataclass

from surrogate_nas.report.facts.architectures import CostFacts, Estimate


@dataclass(frozen=True)
class RivalFacts:
    """One off-the-shelf network at its largest width within the budgets.

    Attributes:
        name: With its width, such as ``"ResNet-20 at width 0.75"``.
        family: Networks of one family are variants of one idea.
        costs: Parameters, FLOPs, and the other costs that have a budget or were measured; the same for all rivals. A
            counted cost stands in ``predicted``, a latency in ``measured``.
        accuracy_percent: Accuracy on validation images after a training; unknown where it was not trained.
        reason: Why it does not fit, or why its training failed.
        fits: Whether it keeps every budget that could be held against it.
    """

    name: str
    family: str
    costs: tuple[CostFacts, ...]
    accuracy_percent: Estimate
    reason: str = ""
    fits: bool = True


@dataclass(frozen=True)
class RivalsFacts:
    """Off-the-shelf networks at the study's budgets.

    Attributes:
        rivals: The ones that fit first.
        found: Accuracy of the chosen architecture after the same training; unknown where no rival was trained.
        epochs: Length of the found architecture's training; ``None`` where no rival was trained.
        images: Validation images behind each accuracy.
        unknown: Budgeted costs that cannot be known of a rival.
        beside_ms: Latency of the chosen architecture, measured in turns with the rivals.
        conditions: What latencies are of: runtime, machine, threads and batch.
        rival_epochs: Length of the rivals' trainings; ``None`` where it is the same.
        pretrained: Whether the found architecture began with pretrained weights; rivals begin at random.
    """

    rivals: tuple[RivalFacts, ...]
    found: Estimate
    epochs: int | None = None
    images: int | None = None
    unknown: tuple[str, ...] = ()
    beside_ms: float | None = None
    conditions: str = ""
    rival_epochs: int | None = None
    pretrained: bool = False

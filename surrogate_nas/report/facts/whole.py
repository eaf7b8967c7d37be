"""Everything a report says, as plain numbers, strings and tuples: what the study fills in and ``report.json`` holds.

Conventions: accuracies are in percent; a latency in milliseconds, FLOPs as multiply-accumulates and parameters as plain
counts (the stored units of ``COSTS``); ``None`` stands for a figure that is unknown or undefined.
"""

from dataclasses import dataclass

from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.against_truth import TruthFacts
from surrogate_nas.report.facts.architectures import AnswerFacts
from surrogate_nas.report.facts.making import MadeFacts
from surrogate_nas.report.facts.reliability import TrustFacts

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class StudyFacts:
    """One whole report.

    Attributes:
        study: Name of the study.
        created: Date and time, ISO 8601.
        primary_cost: Key of ``COSTS``: the cost on the plot's axis.
        answer: What was found, within which budgets.
        made: How it was found: settings, times, machine.
        trust: ``None`` if the study ended before any training, because nothing can meet the budget.
        truth: ``None`` without ground truth.
        rivals: ``None`` if the study compared with no off-the-shelf networks.
    """

    study: str
    created: str
    primary_cost: str
    answer: AnswerFacts
    made: MadeFacts
    trust: TrustFacts | None = None
    truth: TruthFacts | None = None
    rivals: RivalsFacts | None = None
    schema_version: int = SCHEMA_VERSION

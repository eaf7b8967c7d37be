"""Lists the trainings of a supernet stage in phases: the parents that sub-supernets begin from, then the members.

A phase is a set of trainings that share no weights, so that they may run side by side; a phase begins where the one
before it has ended. Every training begins from new weights or from one training of the phase before it.

Steps are counted from the beginning of the first ancestor, so that a step has one mini-batch for all siblings, and a
sub-supernet continues with the data where its parent stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from surrogate_nas.errors import SettingsError
from surrogate_nas.supernet.rule import Inheritance
from surrogate_nas.supernet.settings import SupernetSettings

_PARENT_STREAM = 500_000  # of random draws; a member's stream is its number
_MOST_PARENTS = 64  # of one replica


@dataclass(frozen=True)
class Training:
    """One set of weights from a first to a last step.

    Attributes:
        name: The number of a member, or ``parent``, ``parent-0``, ...
        level: Its phase.
        group: Subspace, of the split of its level, that it draws from; ``None`` for all of them.
        stream: Number of its random draws.
        first_step: Step before which it begins.
        last_step: Step before which it ends.
        progress: Shares of its learning-rate schedule that are over at its beginning and at its end.
        parent: Name of the training that it begins from.
        inherits: What it takes over from its parent.
        replica: Number of the repetition of the whole stage that it belongs to, over all folds.
    """

    name: str
    level: int
    group: int | None
    stream: int
    first_step: int
    last_step: int
    progress: tuple[float, float]
    parent: str | None = None
    inherits: Inheritance = "nothing"
    replica: int = 0

    @property
    def steps(self) -> int:
        """Number of its own steps."""
        return self.last_step - self.first_step

    @property
    def file(self) -> str:
        """Name of its checkpoint."""
        return f"{self.name if self.stream >= _PARENT_STREAM else f'member-{self.name}'}.safetensors"

    @property
    def cut_file(self) -> str:
        """Name of the file with the cut of its subspace that gradients decide."""
        return f"{self.name}.json"


Phase = tuple[Training, ...]


def make_phases(
    settings: SupernetSettings, groups: Sequence[int | None], steps: Sequence[int], folds: int = 1
) -> tuple[Phase, ...]:
    """Returns all trainings of a stage in the order of their dependence; members of one replica are adjacent.

    Args:
        settings: Split, steps, what is inherited, and replicas.
        groups: Subspace of each member of one replica, of the last split.
        steps: Steps of each of these members after the last split, where there is a parent, else all of them.
        folds: Number of divisions of the images that each replica is trained on.

    Raises:
        SettingsError: If there are fewer steps than trainings that follow one another.
    """
    return tuple(
        tuple(
            _in_replica(training, replica, len(groups))
            for replica in range(settings.replicas * folds)
            for training in phase
        )
        for phase in _one_replica(settings, groups, steps)
    )


def _in_replica(training: Training, replica: int, members: int) -> Training:
    """Returns the same training in a replica, with its own draws; the first replica's is the given one."""
    if replica == 0:
        return training
    is_member = training.stream < _PARENT_STREAM
    return replace(
        training,
        name=str(int(training.name) + replica * members) if is_member else f"{training.name}-of-{replica}",
        stream=training.stream + replica * (members if is_member else _MOST_PARENTS),
        parent=training.parent and f"{training.parent}-of-{replica}",
        replica=replica,
    )


def _one_replica(settings: SupernetSettings, groups: Sequence[int | None], steps: Sequence[int]) -> tuple[Phase, ...]:
    bounds = _bounds(settings)
    # With state a schedule continues where the parent's stopped; otherwise parents and members have one each.
    goes_on = len(bounds) > 1 and settings.inheritance == "state"
    share = bounds[-1] / settings.steps if goes_on else 1.0
    phases = [
        tuple(_parent(settings, level, position, share) for position in range(2**level))
        for level in range(len(bounds) - 1)
    ]
    parents = [training.name for training in phases[-1]] if phases else []
    members = tuple(
        Training(
            name=str(member),
            level=len(phases),
            group=group,
            stream=member,
            first_step=bounds[-1],
            last_step=bounds[-1] + steps[member],
            progress=(share if goes_on else 0.0, 1.0),
            parent=parents[member * len(parents) // len(groups)] if parents else None,
            inherits=settings.inheritance if parents else "nothing",
        )
        for member, group in enumerate(groups)
    )
    return (*phases, members)


def _parent(settings: SupernetSettings, level: int, position: int, share: float) -> Training:
    bits, bounds = f"{position:0{level}b}" if level else "", _bounds(settings)
    start, end = bounds[level], bounds[level + 1]
    return Training(
        name=f"parent-{bits}" if level else "parent",
        level=level,
        group=position if settings.rules.split.is_late else None,
        stream=_PARENT_STREAM + 2**level - 1 + position,
        first_step=start,
        last_step=end,
        progress=(share * start / bounds[-1], share * end / bounds[-1]),
        parent=None if level == 0 else "parent" if level == 1 else f"parent-{bits[:-1]}",
        inherits="state" if level else "nothing",
    )


def steps_before_split(settings: SupernetSettings) -> int:
    """Returns the number of steps before the last split; 0 where no member has a parent.

    Raises:
        SettingsError: If there are fewer steps than trainings that follow one another.
    """
    return _bounds(settings)[-1]


def _bounds(settings: SupernetSettings) -> list[int]:
    """Returns the steps at which each phase but the last begins, and the last: 0 alone where there is one phase."""
    share = settings.share_before_split
    if not share:
        return [0]
    splits = settings.rules.split.rounds(settings)
    bounds = [round(settings.steps * share * split / splits) for split in range(splits + 1)]
    # A share near 1 of few steps must leave one to the sub-supernets.
    bounds[-1] = min(bounds[-1], settings.steps - 1)
    if any(end <= start for start, end in pairwise([*bounds, settings.steps])):
        raise SettingsError(
            f"supernet.steps must leave a step for each of {splits + 1} phases, with supernet.parent_share ="
            f" {share:.3g} before the last (got {settings.steps})"
        )
    return bounds

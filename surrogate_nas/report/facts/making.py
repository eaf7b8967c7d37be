"""Facts on the way that a study was made: space, images, supernets, search, time."""

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NetworkFacts:
    """Sizes of a network."""

    channels: int
    cells: int
    stages: int
    image_size: int
    input_channels: int
    classes: int


@dataclass(frozen=True)
class SupernetFacts:
    """The training of the supernet.

    Attributes:
        split: Rule that groups the architectures.
        groups: Number of groups (sub-supernets).
        members: The sub-supernets in words, and how many architectures each labels.
        branches: How sub-supernets with a common parent are trained; empty where they have none.
        sharing: Such as ``"depth-wise"`` or ``"whole subnet"``.
        sampling: Rule that draws the subnet of each step.
        steps: Optimizer steps that each set of weights was trained for.
        batch_size: Images per step.
        pretrained: Whether it began with the weights of a known network, so that few steps are enough.
    """

    split: str
    groups: int
    sharing: str
    sampling: str
    steps: int
    batch_size: int
    pretrained: bool = False
    members: str = ""
    branches: str = ""


@dataclass(frozen=True)
class CostRange:
    """One cost over the whole space, deployed network; ``feasible`` architectures meet the budget, out of ``of``."""

    cost: str
    smallest: float
    median: float
    largest: float
    budget: float | None = None
    feasible: int | None = None
    of: int | None = None


@dataclass(frozen=True)
class SpaceFacts:
    """The search space; ``distinct`` counts what differs, ``drawn`` the draws from a space too large to enumerate."""

    name: str
    fingerprint: str
    size: int
    distinct: int | None = None
    drawn: int | None = None


@dataclass(frozen=True)
class DataFacts:
    """The images."""

    name: str
    train_images: int
    held_out_images: int
    classes: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class SearchFacts:
    """The search over the predictor; ``settings`` are name and value."""

    sampler: str
    trials: int
    feasible_trials: int
    settings: Pairs = ()


@dataclass(frozen=True)
class StageFacts:
    """Time that one stage took, all runs together, and the processors' energy in that time where it is known."""

    name: str
    seconds: float
    joules: float | None = None


@dataclass(frozen=True)
class MadeFacts:
    """The way the study was made; ``predictor``, ``seeds``, ``versions`` and ``hardware`` are pairs of name and value.

    ``search`` and ``stages`` are empty where the study ended before them; ``earlier`` has the commands that began and
    continued the run before ``command``.
    """

    space: SpaceFacts
    deployed: NetworkFacts
    supernet_network: NetworkFacts
    data: DataFacts
    supernet: SupernetFacts
    cost_ranges: tuple[CostRange, ...]
    command: str
    search: SearchFacts | None = None
    stages: tuple[StageFacts, ...] = ()
    predictor: Pairs = ()
    seeds: Pairs = ()
    versions: Pairs = ()
    hardware: Pairs = ()
    notes: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

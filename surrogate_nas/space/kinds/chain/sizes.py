"""The sizes that networks of a chain may choose: resolutions of their images and widths of their stages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.kinds.chain.skeleton import Skeleton, chain_layout, scaled_width
from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec


@dataclass(frozen=True)
class Sizes:
    """Sizes to choose from; a decision is made where there is more than one.

    Attributes:
        resolutions: Sides of images in pixels, rising; in networks of other image sizes they stay in proportion.
        widths: Channels of each stage, rising; in networks of other widths they stay in proportion.
    """

    resolutions: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """The resolution, then the width of each stage."""
        names = ["resolution", *(f"{stage}.width" for stage in range(1, len(self.widths) + 1))]
        texts = [[f"r{side}" for side in self.resolutions], *([f"w{each}" for each in one] for one in self.widths)]
        chosen = zip(names, texts, strict=True)
        return tuple(Decision(name, tuple(choices)) for name, choices in chosen if len(choices) > 1)

    @cached_property
    def stages(self) -> tuple[int | None, ...]:
        """The stage that each decision concerns, from 0; ``None`` for the resolution, which concerns all."""
        resolution = [None] if self.is_resized else []
        return (*resolution, *(stage for stage, widths in enumerate(self.widths) if len(widths) > 1))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Number of choices of each decision."""
        return tuple(len(decision.choices) for decision in self.decisions)

    @property
    def is_resized(self) -> bool:
        """True if there are resolutions to choose from."""
        return len(self.resolutions) > 1

    # Text

    def format(self, choices: Sequence[int]) -> str:
        """Returns the text of a choice of each size, such as ``r160+w16|w32``."""
        names = [decision.choices[choice] for decision, choice in zip(self.decisions, choices, strict=True)]
        return "+".join("|".join(names[begin:end]) for begin, end in self._groups)

    def parse(self, text: str) -> tuple[list[int], str] | None:
        """Returns the choices at the beginning of a text and what follows them, or ``None`` if there are none."""
        *groups, rest = text.split("+", len(self._groups))
        names = [name for group in groups for name in group.split("|")]
        fitting = [len(group.split("|")) for group in groups] == [end - begin for begin, end in self._groups]
        if not fitting or any(name not in one.choices for name, one in zip(names, self.decisions, strict=True)):
            return None
        return [one.choices.index(name) for name, one in zip(names, self.decisions, strict=True)], rest

    @property
    def form(self) -> str:
        """An example of such a beginning, and all choices."""
        choices = "; ".join(f"{one.name}: {', '.join(one.choices)}" for one in self.decisions)
        return f"its sizes, such as {self.format([number - 1 for number in self.numbers])}+ ({choices})"

    @property
    def _groups(self) -> list[tuple[int, int]]:
        """First and last column of resolution and widths, where there are any."""
        resized, number = int(self.is_resized), len(self.decisions)
        return [(begin, end) for begin, end in ((0, resized), (resized, number)) if begin < end]

    # In a network

    def layers(self, skeleton: Skeleton, network: NetworkSpec, choices: Sequence[int]) -> tuple[Layer, ...]:
        """Returns the layers of a network at one choice of each size; decisions of the chain come behind these.

        Args:
            skeleton: The chain at its largest sizes.
            network: Sizes of a network at the largest choices.
            choices: One for each decision.
        """
        side, widths = network.image_size, [of_stage[-1] for of_stage in self.widths]
        for stage, choice in zip(self.stages, choices, strict=True):
            if stage is None:
                side = self.sides(network.image_size)[choice]
            else:
                widths[stage] = self.widths[stage][choice]
        shift, channels = len(self.decisions), network.input_channels
        resize = [Layer(RESOLUTION, channels, channels, network.image_size, side, 0, 0)] if self.is_resized else []
        chain = chain_layout(skeleton, replace(network, image_size=side), widths)
        shifted = (one if one.decision is None else replace(one, decision=one.decision + shift) for one in chain)
        return (*resize, *shifted)

    def sides(self, image_size: int) -> list[int]:
        """Returns the side in pixels at each resolution, where it is ``image_size`` at the largest."""
        # Halves upwards, or python's rounding to even numbers would space them unevenly.
        return [max(1, (2 * image_size * side // self.resolutions[-1] + 1) // 2) for side in self.resolutions]

    def check(self, network: NetworkSpec, space: str) -> None:
        """Refuses a network in which two sizes come to the same.

        Raises:
            SpaceError: If so; the message names the size that would do.
        """
        sides = self.sides(network.image_size)
        if len(set(sides)) < len(sides):
            enough = network.image_size
            while len(set(self.sides(enough))) < len(sides):
                enough += 1
            raise SpaceError(
                f"image_size must be at least {enough} for the {len(sides)} resolutions of {space} to differ (got"
                f" {network.image_size}: {', '.join(map(str, sides))} pixels)"
            )
        for stage, widths in enumerate(self.widths, start=1):
            found = self._channels(network, widths)
            if len(set(found)) < len(found):
                enough = network.channels
                while len(set(self._channels(replace(network, channels=enough), widths))) < len(found):
                    enough += 1
                raise SpaceError(
                    f"channels must be at least {enough} for the {len(found)} widths of stage {stage} of {space} to"
                    f" differ (got {network.channels}: {', '.join(map(str, found))} channels)"
                )

    def _channels(self, network: NetworkSpec, widths: Sequence[int]) -> list[int]:
        return [scaled_width(width, network, self.widths[0][-1]) for width in widths]

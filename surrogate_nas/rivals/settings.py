"""Settings of the comparison with off-the-shelf networks."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.rivals.table import RIVALS

if TYPE_CHECKING:
    RivalName = str
else:
    RivalName = Literal[tuple(RIVALS)]  # every row of the table is a choice of the setting


class RivalSettings(BaseModel):
    """Settings of the comparison with off-the-shelf networks at the study's budget."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    names: tuple[RivalName, ...] | None = Field(
        None, description="Networks to compare the answer with. An empty list compares with none. Default: all."
    )
    measure: bool = Field(
        True, description="Measure their latency on this machine; otherwise only counted costs are compared."
    )
    seconds: float = Field(
        30.0, gt=0, description="Time after which no further width of a network is measured, in seconds."
    )
    train: int = Field(
        0,
        ge=0,
        le=1000,
        description="Number of networks to train as finalists are trained: the ones with the most"
        " multiply-accumulates within the budget, one of each family first.",
    )

    def chosen(self) -> tuple[str, ...]:
        """Returns the networks to compare with; without a choice all that are installed."""
        return tuple(name for name, row in RIVALS.items() if row.is_installed) if self.names is None else self.names

"""Settings of the predictor and its fit."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas._support.stored.settings_identity import settings_by_name
from surrogate_nas.predictor.model_table import MODELS

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[(*MODELS, "auto")]  # every row of the table is a choice of the setting


class PredictorSettings(BaseModel):
    """Settings of the predictor; the defaults were chosen on recorded supernet labels of NAS-Bench-201.

    Example:
        >>> from surrogate_nas import PredictorSettings
        >>> PredictorSettings(model="gatv2", steps=500).ensemble
        5
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: Annotated[
        ModelName,
        Field(description="Kind of model of every member of the ensemble; auto takes the best on held-out labels."),
    ] = "gcn"
    width: Annotated[int, Field(ge=4, le=1024, description="Features per node of the graph.")] = 64
    layers: Annotated[int, Field(ge=1, le=12, description="Graph convolutions in each direction.")] = 3
    steps: Annotated[int, Field(ge=1, le=100_000, description="Optimizer steps per member.")] = 300
    batch_size: Annotated[int, Field(ge=2, le=4096, description="Labelled architectures per step.")] = 64
    learning_rate: Annotated[
        float, Field(gt=0, le=1, description="Learning rate of AdamW at the first step; it falls to 0 along a cosine.")
    ] = 3e-3
    weight_decay: Annotated[float, Field(ge=0, le=10, description="Weight decay of AdamW.")] = 1e-3
    # ListMLE orders held-out labels better than pairs do by 0.011 / 0.006 in tau at 300 / 1,000 labels (8 supernets).
    loss: Annotated[
        Literal["pairwise", "listwise", "mse", "mse_values"],
        Field(
            description="Loss of the fit: order of pairs, order of the batch, error of the ranks, or error of the"
            " labels."
        ),
    ] = "listwise"
    ensemble: Annotated[
        int, Field(ge=1, le=100, description="Members of the ensemble; they differ in seed and resampled labels.")
    ] = 5
    folds: Annotated[int, Field(ge=2, le=10, description="Folds of the cross-validation.")] = 5
    target: Annotated[
        Literal["loss", "accuracy"],
        Field(
            description="Label to fit. Minus the loss ranks better on a supernet trained for a short time; the"
            " mean accuracy ranks better on several trained for longer."
        ),
    ] = "loss"
    recipe: Annotated[
        Literal["fusion", "labels"],
        Field(
            description="Inputs of the ranking: fusion joins labels with scores that need no training; labels"
            " uses labels alone."
        ),
    ] = "fusion"
    label_share: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        default="auto",
        description="Share of the labels in recipe fusion; the rest are scores that need no training. auto follows from"
        " how far the two agree.",
    )
    zero_cost: Annotated[
        bool,
        Field(description="Let scores of networks with random weights vote, in spaces small enough to score whole."),
    ] = True
    canonical: Annotated[
        bool, Field(description="Treat isomorphic architectures as one, with the mean of their labels.")
    ] = True

    @property
    def given_share(self) -> float | None:
        """Share of the labels that was set by hand; None where their agreement with the prior decides."""
        return None if self.label_share == "auto" else self.label_share

    def identity(self) -> dict[str, Any]:
        """Returns the settings that a predictor follows from, by name."""
        return settings_by_name(self, later=("label_share",))

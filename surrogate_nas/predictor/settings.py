"""How the predictor is made and fitted."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.predictor.model_table import MODELS

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[(*MODELS, "auto")]  # a row of the table is a choice of the setting


class PredictorSettings(BaseModel):
    """Settings of the predictor; the defaults were chosen on recorded supernet labels of NAS-Bench-201.

    Example:
        >>> from surrogate_nas import PredictorSettings
        >>> PredictorSettings(model="gatv2", steps=500).ensemble
        5
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[
        ModelName,
        Field(description="kind of model that each member of the ensemble is; auto: the best on held-out labels"),
    ] = "gcn"
    width: Annotated[int, Field(ge=4, le=1024, description="features per node of the graph")] = 64
    layers: Annotated[int, Field(ge=1, le=12, description="graph convolutions in each direction")] = 3
    steps: Annotated[int, Field(ge=1, le=100_000, description="optimiser steps per member")] = 300
    batch_size: Annotated[int, Field(ge=2, le=4096, description="labelled architectures per step")] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1, description="of AdamW at the first step; cosine to 0")] = 3e-3
    weight_decay: Annotated[float, Field(ge=0, le=10, description="of AdamW")] = 1e-3
    # ListMLE orders held-out labels better than pairs do by 0.011 / 0.006 in tau at 300 / 1,000 labels (8 supernets).
    loss: Annotated[
        Literal["pairwise", "listwise", "mse", "mse_values"],
        Field(description="what is minimised: order of pairs, order of the batch, error of the ranks or of the labels"),
    ] = "listwise"
    ensemble: Annotated[int, Field(ge=1, le=100, description="members; they differ in seed and resampled labels")] = 5
    folds: Annotated[int, Field(ge=2, le=10, description="folds of the cross-validation")] = 5
    target: Annotated[
        Literal["loss", "accuracy"],
        Field(
            description="label that is fitted; minus the loss ranks better on a supernet trained for a short time, the"
            " mean accuracy on several trained for longer"
        ),
    ] = "loss"
    recipe: Annotated[
        Literal["fusion", "labels"],
        Field(description="fusion: labels joined with what is known without training; labels: labels alone"),
    ] = "fusion"
    zero_cost: Annotated[
        bool,
        Field(description="let scores of networks with random weights vote, in spaces small enough to score whole"),
    ] = True
    canonical: Annotated[
        bool, Field(description="treat isomorphic architectures as one, with the mean of their labels")
    ] = True

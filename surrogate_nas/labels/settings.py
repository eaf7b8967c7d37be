"""Settings of the label stage."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LabelSettings(BaseModel):
    """How many architectures are labelled, and on how many images."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: Annotated[int, Field(ge=20)] = Field(
        default=1000,
        description="architectures drawn uniformly from the space, without repeats; fewer in a small space",
    )
    validation_images: Annotated[int, Field(ge=2)] = Field(
        default=2500, description="held-out images each is judged on; all where there are fewer"
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(default=500, description="images at once")

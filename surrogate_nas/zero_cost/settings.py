"""Settings of the networks with random weights behind zero-cost scores, and the scores that vote in the prior."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# One vote each. Complexity is the prior's own count of operations. Progressivity and synflow have none: models that
# learn from trained networks see them and find their weight. Votes for them lost 0.01 in tau on the half of
# NAS-Bench-201's classes that was used for this choice.
VOTES = {
    "expressivity": 1.0,
    "progressivity": 0.0,
    "trainability": 1.0,
    "synflow": 0.0,
    "naswot": 1.0,
}


class ZeroCostSettings(BaseModel):
    """Sizes of the random networks; small ones, since every architecture of the space is scored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    channels: Annotated[int, Field(ge=2, le=1024, description="Channels of the first stage.")] = 8
    cells: Annotated[int, Field(ge=1, le=64, description="Cells per stage.")] = 5
    image_size: Annotated[int, Field(ge=4, le=1024, description="Side of the input in pixels.")] = 8
    images: Annotated[int, Field(ge=2, le=4096, description="Gaussian images per batch.")] = 16
    repeats: Annotated[int, Field(ge=1, le=64, description="Draws of weights and images to average over.")] = 1
    seed: Annotated[int, Field(ge=0, lt=2**31, description="Seed of weights and images.")] = 0

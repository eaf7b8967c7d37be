"""What a user may set about costs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Backend = Literal["auto", "onnx", "eager", "exported", "compiled"]


class TimingSettings(BaseModel):
    """How long and how carefully a latency is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(
        0.25, gt=0, le=600, description="Time to spend on each candidate in one attempt, in seconds, on average."
    )
    min_repeats: int = Field(15, ge=3, le=10_000, description="Fewest samples of a candidate, whatever time they take.")
    max_repeats: int = Field(150, ge=3, le=100_000, description="Most samples of a candidate.")
    noise: float = Field(0.1, gt=0, description="Interquartile range over median above which a measurement is noisy.")
    attempts: int = Field(2, ge=1, le=100, description="How often a noisy measurement is made before it is marked.")

    @property
    def most_repeats(self) -> int:
        """Most samples of a candidate, never below the fewest."""
        return max(self.min_repeats, self.max_repeats)


class HardwareSettings(BaseModel):
    """Where costs come from.

    Example:
        >>> from surrogate_nas import HardwareSettings
        >>> HardwareSettings(device="cpu", backend="onnx", threads=2).confidence
        0.95
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = Field(
        "auto", description="auto, cpu, cuda[:n] or mps to measure on this machine; with a latency table, its column."
    )
    latency_table: str | None = Field(
        None, description="CSV or Parquet file with a column 'code' and a column of milliseconds per device."
    )
    latency_unit: Literal["auto", "s", "ms", "us"] = Field(
        "auto", description="Unit of the latency table; auto takes milliseconds, and refuses what looks like seconds."
    )
    backend: Backend = Field(
        "auto",
        description="What runs a network here: onnx is ONNX Runtime, eager is torch as it is, exported a graph of"
        " torch.export, compiled torch.compile; auto takes onnx on the CPU and eager on a GPU.",
    )
    batch: int = Field(1, ge=1, le=65_536, description="Images per forward pass.")
    threads: int = Field(1, ge=1, le=1024, description="CPU threads of a forward pass.")
    whole_networks: int = Field(
        16, ge=4, le=1000, description="Networks measured as a whole to correct the profile of operations."
    )
    confidence: float = Field(
        0.95,
        ge=0.5,
        lt=1,
        description="With which a predicted latency is to meet its budget; 0.5 takes predictions as they are, nearly.",
    )
    remeasure: bool = Field(False, description="Whether to measure again what was measured on this machine before.")
    timing: TimingSettings = Field(default_factory=TimingSettings, description="How latencies are measured.")

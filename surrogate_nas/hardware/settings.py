"""Settings of costs."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from surrogate_nas.costs.number_formats import Activations, Numbers, Precision, numbers_of

PlannerName = Literal["none", "tflite_micro", "vela", "executorch"]
Backend = Literal["auto", "onnx", "eager", "exported", "compiled"]


class TimingSettings(BaseModel):
    """Settings of how long and how carefully a latency is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seconds: float = Field(
        0.25, gt=0, le=600, description="Average time to spend on each candidate in one attempt, in seconds."
    )
    min_repeats: int = Field(
        15, ge=3, le=10_000, description="Fewest samples of a candidate, even where they take longer than the time."
    )
    max_repeats: int = Field(150, ge=3, le=100_000, description="Most samples of a candidate.")
    noise: float = Field(
        0.15, gt=0, description="Interquartile range divided by the median, above which a measurement is noisy."
    )
    attempts: int = Field(
        2, ge=1, le=100, description="Most attempts at a noisy measurement; after the last one it is marked as noisy."
    )

    @property
    def most_repeats(self) -> int:
        """Most samples of a candidate, never below the fewest."""
        return max(self.min_repeats, self.max_repeats)


class HardwareSettings(BaseModel):
    """Settings of where costs come from.

    Example:
        >>> from surrogate_nas import HardwareSettings
        >>> HardwareSettings(device="cpu", backend="onnx", threads=2).confidence
        0.95
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    device: str = Field(
        "auto",
        description="Device of this machine to measure on: auto, cpu, cuda[:n] or mps. With a latency table:"
        " its column.",
    )
    latency_table: str | None = Field(
        None, description="CSV or Parquet file with a column 'code' and a column of milliseconds per device."
    )
    latency_unit: Literal["auto", "s", "ms", "us"] = Field(
        "auto",
        description="Unit of the latency table; auto takes milliseconds, and refuses values that look like seconds"
        " or microseconds.",
    )
    backend: Backend = Field(
        "auto",
        description="Runtime of a network on this machine: onnx is ONNX Runtime, eager is plain torch,"
        " exported is torch.export, compiled is torch.compile. auto takes onnx on the CPU and eager on a"
        " GPU.",
    )
    precision: Precision = Field(
        "float32",
        description="Numbers that the deployed network computes with: float32, or int8 after quantisation. Latencies"
        " are measured, and memory is counted, in it.",
    )
    activations: Activations = Field(
        "unsigned",
        description="Feature maps of int8: unsigned suits x86 processors; signed, symmetric around zero, suits"
        " microcontrollers and NPUs.",
    )
    planner: PlannerName = Field(
        "none",
        description="Tool that says how much RAM and flash a network takes on the device, without the device:"
        " tflite_micro is the interpreter of TensorFlow Lite Micro, vela is the compiler for Arm's Ethos-U NPUs,"
        " executorch is the plan for Arm's Cortex-M. none counts both. A planner needs precision int8.",
    )
    accelerator: str = Field(
        "ethos-u55-128", description="NPU that the planner vela compiles for, as its --accelerator-config names it."
    )
    batch: int = Field(1, ge=1, le=65_536, description="Images per forward pass.")
    threads: int = Field(1, ge=1, le=1024, description="CPU threads of a forward pass.")
    latency: Literal["auto", "always"] = Field(
        "auto",
        description="Whose latency is known: auto profiles every architecture where a budget or search.traded is on"
        " latency, and measures finalists alone elsewhere; always profiles every architecture. A latency table is"
        " read in any case.",
    )
    whole_networks: int = Field(
        16,
        ge=4,
        le=1000,
        description="Whole networks to measure, which correct the profile of operations, and to plan, which correct"
        " counted RAM and flash.",
    )
    confidence: float = Field(
        0.95,
        ge=0.5,
        lt=1,
        description="Probability with which a predicted latency has to meet its budget; 0.5 adds almost no"
        " margin to predictions.",
    )
    remeasure: bool = Field(False, description="Measure again even where this machine has earlier measurements.")
    timing: TimingSettings = Field(
        default_factory=TimingSettings, description="Settings of the measurement of latencies."
    )

    @property
    def numbers(self) -> Numbers:
        """Precision and form of the deployed network's numbers, in words."""
        return numbers_of(self.precision, self.activations)

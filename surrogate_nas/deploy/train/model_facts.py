"""Facts about a trained model, as plain numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from surrogate_nas._support.onnx_session import EXACT_SUMS
from surrogate_nas._support.words import SHARED_WEIGHTS, count_of
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.confusion import Confusion, balanced, recalls
from surrogate_nas.deploy.device_file import DeviceFile
from surrogate_nas.deploy.runtime_files import RuntimeFiles
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.export.runtimes.table import EXPORTS
from surrogate_nas.hardware.conditions import FROM_A_TABLE, RUNTIMES
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts

LOSS_POINTS = 1.0
"""Percentage points of accuracy that 8 bits may cost before it is reported as a loss."""

_UNUSED = 0.25  # share of a predicted latency from which on it is said that a model is faster
_OTHER_RUNTIMES = tuple(f"{words} on cpu" for name, words in RUNTIMES.items() if name != "onnx")


@dataclass(frozen=True)
class ModelFacts:
    """Everything about a trained model that was predicted or measured.

    Attributes:
        code: The architecture as the lookup table writes it.
        architecture: The same for people.
        seen_size: Side in pixels to which the network resizes its images before the first layer.
        test: Accuracy of the network in torch.
        test_origin: Where the test images come from, in words.
        predicted_percent: What the study predicted.
        predicted_half_width: Half of the 95% interval of that; None where unknown.
        costs: Predicted costs by name.
        budgets: Bounds by cost.
        device: Device of predicted latencies.
        conditions: Runtime, machine, threads and batch of predicted latencies, or their table.
        batch: Images per forward pass of every latency.
        threads: CPU threads of every measured latency.
        onnx: The float model, and the 8-bit one where there is one.
        opset: Of the ONNX files.
        recipe: The training in one line.
        start: Where its weights began.
        seed: Of the training.
        train_images: Images that were trained on.
        processes: How many trained together.
        command: That repeats it.
        dataset: Where the images come from: ``folder``, or the name of a set.
        confusion: Test images by their class and by the class that the ONNX model names.
        trained_on: Number of training images of each class.
        warnings: Sentences on what may be wrong with the images.
        rivals: Off-the-shelf networks at the study's budgets; accuracies are of the test images. None where the study
            compared with none, or the model is for other budgets.
        predicted_basis: What the predicted accuracy is of, such as ``"with shared weights"``.
        runtimes: The files of other runtimes.
        numbers: What the network that the budgets are of computes with.
        device_file: The file for a microcontroller or an NPU, with its plan; None without a planner.
        plain_int8: Accuracy that the 8-bit ONNX model has without training for 8 bits; None where there was none.
        quantisation_epochs: Length of that training.
        signed_int8: True if activations of the 8-bit ONNX model are signed.
    """

    code: str
    architecture: str
    seen_size: int
    test: Accuracy
    test_origin: str
    predicted_percent: float
    predicted_half_width: float | None
    costs: Mapping[str, float]
    budgets: Mapping[str, float]
    device: str
    conditions: str
    batch: int
    threads: int
    onnx: Mapping[str, Variant]
    opset: int
    recipe: str
    start: str
    seed: int
    train_images: int
    processes: int
    command: str
    dataset: str
    confusion: Confusion
    trained_on: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    rivals: RivalsFacts | None = None
    predicted_basis: str = SHARED_WEIGHTS
    runtimes: RuntimeFiles = field(default_factory=RuntimeFiles)
    numbers: Numbers = "float32"
    device_file: DeviceFile | None = None
    plain_int8: Accuracy | None = None
    quantisation_epochs: int = 0
    signed_int8: bool = False

    @property
    def latency_budget_ms(self) -> float | None:
        """The bound on latency that a measurement on this machine can be held against; None for another device.

        A table may be of another machine, or of another day, whatever its column is called.
        """
        return self.budgets.get("latency_ms") if self._is_here else None

    @property
    def _is_here(self) -> bool:
        return self.device == "cpu" and FROM_A_TABLE not in self.conditions

    def keeps_budget(self, variant: Variant) -> bool | None:
        """Returns whether a model was measured within the latency budget; None if there is none for it here.

        The float model of a study of int8 has no budget.
        """
        limit = self.latency_budget_ms
        floats = [one for _, precision, one in self.variants if precision == "float"]
        if limit is None or (self.numbers != "float32" and variant in floats):
            return None
        return variant.latency.median_ms <= limit

    @property
    def classes(self) -> dict[str, Accuracy]:
        """Accuracy of the ONNX model on the test images of each class (recall); classes without any are left out."""
        return recalls(self.confusion)

    @property
    def balanced(self) -> Accuracy:
        """Mean of the accuracies on each class (balanced accuracy)."""
        return balanced(self.classes.values())

    @property
    def variants(self) -> list[tuple[str, str, Variant]]:
        """Every exported file: its runtime for people, its precision, its figures."""
        runtimes = {"ONNX Runtime": self.onnx}
        runtimes |= {EXPORTS[name].title: variants for name, variants in self.runtimes.variants.items()}
        return [(title, name, one) for title, variants in runtimes.items() for name, one in variants.items()]

    @property
    def own_costs(self) -> dict[str, CostFacts]:
        """Costs as a table of rivals shows them.

        Latency is as it was measured in turns with the rivals, or else now. A study of another device measured none.
        """
        own = {cost: CostFacts(cost, value) for cost, value in self.costs.items()}
        if not self._is_here:
            return own
        latency = self._deployed.latency.median_ms
        if self.rivals is not None and self.rivals.beside_ms is not None:
            latency = self.rivals.beside_ms
        return own | {"latency_ms": CostFacts("latency_ms", self.costs.get("latency_ms"), measured=latency)}

    @property
    def _deployed(self) -> Variant:
        """The ONNX file that computes as the study's budgets are meant."""
        return self.onnx["float" if self.numbers == "float32" else "int8"]

    def faster_note(self) -> str:
        """Returns a sentence where the model is much faster than predicted, and a budget is left; empty otherwise."""
        predicted, measured = self.costs.get("latency_ms"), self._deployed.latency.median_ms
        if predicted is None or self.latency_budget_ms is None or self.runtime_note():
            return ""
        if measured > predicted * (1 - _UNUSED):
            return ""
        return (
            f"{self._deployed.file} takes {measured:.3g} ms, and {predicted:.3g} ms were predicted: the machine was"
            " slower when the study measured it, and a better network may fit. Measure again on an idle machine: resume"
            " the study with --set hardware.remeasure=true."
        )

    def overflow_note(self) -> str:
        """Returns what your program must set to run an 8-bit ONNX model with signed activations; empty without one."""
        if "int8" not in self.onnx or not self.signed_int8:
            return ""
        return (
            f"{self.onnx['int8'].file} has signed activations. On x86 processors without VNNI instructions, ONNX"
            " Runtime's sums of them overflow, and classes are wrong, unless your program sets the session's entry"
            f" {EXACT_SUMS} to 1. Its accuracy and latency here were measured with that entry."
        )

    def losses(self) -> list[str]:
        """Returns a sentence for each 8-bit model that is less accurate than its float model by more than is usual."""
        runtimes = {"onnx": self.onnx, **self.runtimes.variants}
        both = [(one["float"], one["int8"]) for one in runtimes.values() if {"float", "int8"} <= one.keys()]
        lost = {int8.file: float_.accuracy.percent - int8.accuracy.percent for float_, int8 in both}
        more = (
            ""
            if self.quantisation_epochs
            else "; the same command with --resume --set training.quantisation_epochs=5 may win some back"
        )
        return [
            f"{file} loses {points:.2f} percentage points of accuracy to the float model (more than"
            f" {LOSS_POINTS:g}){more}"
            for file, points in lost.items()
            if points > LOSS_POINTS
        ]

    def tuning(self) -> str:
        """Returns a sentence on what training for 8 bits did to the 8-bit ONNX model; empty where there was none."""
        if self.plain_int8 is None:
            return ""
        plain, tuned, float_ = self.plain_int8, self.onnx["int8"].accuracy, self.onnx["float"].accuracy
        within = plain.low <= tuned.percent <= plain.high
        return (
            f"Test accuracy is {float_.percent:.2f}% in float, {plain.percent:.2f}% in 8 bits without"
            f" quantisation-aware training, and {tuned.percent:.2f}% in 8 bits after"
            f" {count_of(self.quantisation_epochs, 'epoch')} of it"
            f"{'; so many test images cannot tell the last two apart' if within else ''}."
        )

    def over_device(self) -> list[str]:
        """Returns a sentence for each budget of RAM or flash that the file for the device exceeds."""
        one = self.device_file
        if one is None:
            return []
        return [
            f"{one.file} takes {format_cost(cost, one.costs[cost])} of {COSTS[cost].key} by {one.planner}, over the"
            f" budget of {format_cost(cost, self.budgets[cost])}; train another architecture by a tighter"
            f" {COSTS[cost].option}"
            for cost in one.over(self.budgets)
        ]

    def runtime_note(self) -> str:
        """Returns a sentence where the model was measured in another runtime than latencies were predicted for."""
        measured = next(iter(self.onnx.values())).latency.median_ms
        predicted = self.costs.get("latency_ms")
        if predicted is None or not self.conditions.startswith(_OTHER_RUNTIMES):
            return ""
        factor = max(predicted / measured, measured / predicted)
        return (
            f"The study's latencies are of {self.conditions}; this model was measured in ONNX"
            f" Runtime, which takes {factor:.1f} times {'less' if measured < predicted else 'more'}. To hold the budget"
            " against ONNX Runtime, resume the study with --set hardware.backend=onnx."
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        runtimes = {name: self._as_json(variants) for name, variants in self.runtimes.variants.items()}
        return asdict(self) | {
            "classes": {name: asdict(one) for name, one in self.classes.items()},
            "balanced": asdict(self.balanced),
            "onnx": self._as_json(self.onnx),
            "runtimes": runtimes,
            "int8_losses": self.losses(),
            "not_exported": dict(self.runtimes.failures),
        }

    def _as_json(self, variants: Mapping[Any, Variant]) -> dict[str, Any]:
        return {name: asdict(one) | {"keeps_latency_budget": self.keeps_budget(one)} for name, one in variants.items()}

"""One exported file, with its figures."""

from dataclasses import dataclass

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.export.onnx_model import Agreement
from surrogate_nas.hardware.measurement import Measurement


@dataclass(frozen=True)
class Variant:
    """One exported file: its accuracy on the test images, how close it is to torch, and how long it takes.

    Attributes:
        file: Name of the file that a runtime opens.
        size_bytes: Of all files of the model.
        accuracy: On the test images.
        agreement: With torch.
        latency: Of a forward pass on this machine's CPU.
    """

    file: str
    size_bytes: int
    accuracy: Accuracy
    agreement: Agreement
    latency: Measurement

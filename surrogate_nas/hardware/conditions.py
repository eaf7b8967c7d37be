"""Describes the conditions of a latency in words: runtime, machine, precision and more, or the table it comes from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

RUNTIMES: Mapping[str, str] = MappingProxyType(
    {
        "onnx": "ONNX Runtime",
        "eager": "PyTorch, eager",
        "exported": "PyTorch, torch.export",
        "compiled": "PyTorch, torch.compile",
    }
)
FROM_A_TABLE = ", from the table "


def conditions(described: Mapping[str, Any]) -> str:
    """Returns the conditions of latencies, such as ``"ONNX Runtime on cpu (AMD EPYC), int8, 1 thread, batch 1"``.

    Args:
        described: The description that a source of latencies gives of itself.
    """
    if described["kind"] == "table":
        measured_with = f" ({described['measured_with']})" if described.get("measured_with") else ""
        return f"{described['device']}{measured_with}{FROM_A_TABLE}{described['file']}"
    # Runs of version 0.1.0 measured by torch do not record a back-end.
    runtime, threads = RUNTIMES[described.get("backend", "eager")], described["threads"]
    counted = f"{threads} thread{'s' if threads != 1 else ''}"
    where = f"{runtime} on {described['device']} ({described['machine']})"
    return f"{where}, {described.get('dtype', 'float32')}, {counted}, batch {described['batch']}"

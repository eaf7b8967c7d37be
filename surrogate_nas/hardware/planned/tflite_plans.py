"""RAM and flash of a ``.tflite`` file: in TensorFlow Lite Micro, and on Arm's Ethos-U NPUs by the compiler Vela."""

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.planned.planners import Plan
from surrogate_nas.nets.device_files.tflite_file import output_caught

_ALIGNMENT = 16  # of arenas, bytes
_LARGEST = 1 << 26  # far more than a microcontroller has
_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")
_KILOBYTE = 1024  # in Vela's summary
_RAM = ("sram", "dram")


def tflite_micro_plan(content: bytes, accelerator: str) -> Plan:
    """Returns the arena that the interpreter of TensorFlow Lite Micro uses for a model, and the size of the file.

    The interpreter is built for this machine: its reference kernels need no workspace, which CMSIS-NN's do, and its
    pointers have 8 bytes, twice a microcontroller's.

    Raises:
        MeasurementError: If it cannot take the model.
    """
    del accelerator
    from tflite_micro.python.tflite_micro import runtime

    with output_caught() as said:
        try:
            runtime.Interpreter.from_bytes(content, arena_size=_LARGEST).print_allocations()
        except RuntimeError as error:
            raise MeasurementError(
                f"TensorFlow Lite Micro has no kernel for an operation of this network, or it takes more than"
                f" {_LARGEST >> 20} MiB of RAM ({error})"
            ) from None
        said.flush()
        said.seek(0)
        total = _TOTAL.search(said.read())
    if total is None:
        raise MeasurementError("TensorFlow Lite Micro does not say how large its arena is; use another version of it")
    # The arena of a program may begin anywhere; the interpreter aligns it.
    return Plan(int(total[1]) + _ALIGNMENT, len(content))


def vela_plan(content: bytes, accelerator: str) -> Plan:
    """Returns the SRAM that Vela plans for an NPU, and the flash that its file takes.

    Raises:
        MeasurementError: If Vela cannot compile the model for that accelerator.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        file.write_bytes(content)
        command = [sys.executable, "-m", "ethosu.vela", str(file), "--output-dir", folder]
        done = subprocess.run(
            [*command, "--accelerator-config", accelerator],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            cwd=folder,
        )
        (summary, *_), compiled = [*Path(folder).glob("*_summary_*.csv"), None], Path(folder) / "model_vela.tflite"
        if done.returncode or summary is None or not compiled.exists():
            *_, reason = ["no reason given", *(done.stderr.strip() or done.stdout.strip()).splitlines()]
            raise MeasurementError(f"Vela cannot compile a network for {accelerator}: {reason[:200]}")
        with summary.open(newline="", encoding="utf-8") as lines:
            (row,) = csv.DictReader(lines)
        file_content = compiled.read_bytes()
        return Plan(vela_ram_bytes(row, _weights_of(file_content)), len(file_content))


def vela_ram_bytes(row: Mapping[str, str], weights_bytes: int) -> int:
    """Returns the RAM of a compiled file: feature maps, and weights that are copied to SRAM before they are used.

    With Ethos-U65 and U85, feature maps lie in DRAM unless the memory mode says otherwise. Vela puts the weights of the
    file there too, but they can stay in flash.

    Args:
        row: Vela's summary.
        weights_bytes: Size of the weights in the file.
    """
    ram = sum(float(row.get(f"{place}_memory_used") or 0) for place in _RAM)
    in_ram = row.get("weights_storage_area", "").lower() in _RAM
    return round(ram * _KILOBYTE) - (weights_bytes if in_ram else 0)


def _weights_of(content: bytes) -> int:
    """Returns the size of what a file that Vela compiled holds for reading alone."""
    from ethosu.vela.tflite.Model import Model

    graph = Model.GetRootAs(content, 0).Subgraphs(0)
    tensors = map(graph.Tensors, range(graph.TensorsLength()))
    return sum(int(tensor.ShapeAsNumpy().prod()) for tensor in tensors if tensor.Name().startswith(b"read_only"))

"""Planners of memory: each says how much RAM and flash a network takes on a device, without the device.

A row imports its packages when it is first used.
"""

import importlib.util
import io
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from surrogate_nas.costs.number_formats import Precision
from surrogate_nas.errors import SettingsError


class Plan(NamedTuple):
    """Memory of a network on a device.

    Attributes:
        ram_bytes: Of the buffers for feature maps, inputs, outputs and the workspace of kernels.
        flash_bytes: Of the file.
    """

    ram_bytes: int
    flash_bytes: int


@dataclass(frozen=True)
class Planner:
    """A planner.

    Attributes:
        title: Its name for people.
        precision: Of the networks that it plans.
        packages: Packages that it imports.
        remedy: Installs them.
        plan: Plans a network for images of the example's shape; raises errors of any class.
    """

    title: str
    precision: Precision
    packages: tuple[str, ...]
    remedy: str
    plan: Callable[[nn.Module, Tensor], Plan]

    def require(self) -> None:
        """Refuses a planner whose packages are not installed.

        Raises:
            SettingsError: If one is missing; the message says how to install it.
        """
        for package in self.packages:
            if importlib.util.find_spec(package) is None:
                raise SettingsError(f"{self.title} needs {package}, which is not installed; {self.remedy}")


def _portable(network: nn.Module, example: Tensor) -> Plan:
    """Plans a network in float32 for the kernels that ExecuTorch has for any processor."""
    from executorch.exir import to_edge

    with torch.no_grad(), redirect_stderr(io.StringIO()):
        program = to_edge(torch.export.export(network, (example,))).to_executorch()
    return _of(program)


def _cortex_m(network: nn.Module, example: Tensor) -> Plan:
    """Plans a network in int8 for Arm's kernels for microcontrollers (CMSIS-NN), their workspace included."""
    from executorch.backends.cortex_m.edge_compile_config import cortex_m_edge_compile_config
    from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
    from executorch.exir import to_edge
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    # Its kernels take channels last.
    network = network.to(memory_format=torch.channels_last)
    example = example.to(memory_format=torch.channels_last)
    with torch.no_grad(), redirect_stderr(io.StringIO()):
        prepared = prepare_pt2e(torch.export.export(network, (example,)).module(check_guards=False), CortexMQuantizer())
        prepared(example)
        quantised = torch.export.export(convert_pt2e(prepared), (example,))
        edge = to_edge(quantised, compile_config=cortex_m_edge_compile_config())
        # The passes rewrite a program, and a manager of programs has no method that takes one.
        edge._edge_programs["forward"] = CortexMPassManager(edge.exported_program()).transform()
        return _of(edge.to_executorch())


def _of(program: "object") -> Plan:
    (plan,) = program.executorch_program.execution_plan  # type: ignore[attr-defined]
    return Plan(sum(plan.non_const_buffer_sizes), len(program.buffer))  # type: ignore[attr-defined]


_EXTRA = "install it with: pip install 'executorch[ethos-u]'"

PLANNERS: dict[str, Planner] = {
    "portable": Planner("ExecuTorch, portable kernels", "float32", ("executorch",), _EXTRA, _portable),
    "cortex_m": Planner("ExecuTorch, Cortex-M", "int8", ("executorch", "tosa_serializer"), _EXTRA, _cortex_m),
}
"""By the word for ``--planners``."""

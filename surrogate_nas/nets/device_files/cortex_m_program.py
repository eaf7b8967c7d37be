"""Makes ExecuTorch's program of a network for Arm's Cortex-M: 8-bit numbers, and the kernels of CMSIS-NN."""

import io
from contextlib import redirect_stderr
from typing import NamedTuple

import torch
from torch import Tensor, nn


class CortexMProgram(NamedTuple):
    """A program.

    Attributes:
        content: The bytes of its ``.pte`` file.
        ram_bytes: RAM that its plan sets aside: feature maps, input, scores and the workspace of kernels.
    """

    content: bytes
    ram_bytes: int


def cortex_m_program(network: nn.Module, images: Tensor) -> CortexMProgram:
    """Returns the program of a network for one image.

    Args:
        network: In evaluation mode, on the CPU; it takes images (B, C, S, S).
        images: Normalised images that ranges of activations are taken from, (N, C, S, S), N at least 1.

    Raises:
        Exception: Whatever ExecuTorch raises for a network that it cannot convert.
    """
    from executorch.backends.cortex_m.edge_compile_config import cortex_m_edge_compile_config
    from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
    from executorch.exir import to_edge
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    # Its kernels take channels last.
    network = network.to(memory_format=torch.channels_last)
    example, *others = [one[None].contiguous(memory_format=torch.channels_last) for one in images]
    with torch.no_grad(), redirect_stderr(io.StringIO()):
        prepared = prepare_pt2e(torch.export.export(network, (example,)).module(check_guards=False), CortexMQuantizer())
        for one in (example, *others):
            prepared(one)
        quantised = torch.export.export(convert_pt2e(prepared), (example,))
        edge = to_edge(quantised, compile_config=cortex_m_edge_compile_config())
        # The passes rewrite a program, and a manager of programs has no method that takes one.
        edge._edge_programs["forward"] = CortexMPassManager(edge.exported_program()).transform()
        program = edge.to_executorch()
    (plan,) = program.executorch_program.execution_plan
    return CortexMProgram(bytes(program.buffer), int(sum(plan.non_const_buffer_sizes)))

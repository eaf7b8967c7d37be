"""RAM and flash of ExecuTorch's program for Cortex-M: the plan is part of the file."""

from torch import Tensor, nn

from surrogate_nas.hardware.planned.planners import Plan
from surrogate_nas.nets.device_files.cortex_m_program import cortex_m_program


def cortex_m_file(network: nn.Module, images: Tensor) -> bytes:
    """Returns the content of the ``.pte`` file of a network, for images (N, C, S, S)."""
    return cortex_m_program(network, images).content


def cortex_m_plan(content: bytes, accelerator: str) -> Plan:
    """Returns the plan that a program holds; it is of the processor, whatever the accelerator."""
    del accelerator
    from executorch.exir._serialize._program import deserialize_pte_binary

    read = deserialize_pte_binary(content)
    (plan,) = getattr(read, "program", read).execution_plan
    return Plan(int(sum(plan.non_const_buffer_sizes)), len(content))

"""Exports any network to ONNX by torch's own exporter."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from surrogate_nas._support.model_format import INPUT, OUTPUT

OPSET = 18
IR_VERSION = 8
"""The oldest that the opset goes with, for runtimes of devices that are not updated often."""


def export_onnx(network: nn.Module, example: Tensor, *, any_batch: bool) -> Any:  # noqa: ANN401 - onnx has no types
    """Returns the ONNX model of a network as an ``onnx.ModelProto``.

    Args:
        network: In evaluation mode, on the CPU.
        example: Images, (B, C, S, S); at least two where the batch is free, as one would be a constant.
        any_batch: Whether the model takes any number of images, or only the example's.

    Raises:
        Exception: Whatever the exporter raises where it cannot export a network.
    """
    shapes = ({0: torch.export.Dim("batch")},) if any_batch else None
    with quiet_exporters():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    model.ir_version = IR_VERSION
    return model


@contextlib.contextmanager
def quiet_exporters() -> Iterator[None]:
    """Keeps exporters from printing their progress and what will change in their next version."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _strip(model: Any) -> None:  # noqa: ANN401 - onnx has no types
    """Removes the exporter's notes on where in which file each node comes from."""
    graph = model.graph
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, graph, model):
        del part.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""

"""Networks exported by torch's exporter carry no trace of this machine and the requested batch."""

import logging
import warnings

import pytest
import torch
from torch import nn

from surrogate_nas._support.model_format import INPUT, OUTPUT
from surrogate_nas.nets.onnx_models.onnx_export import export_onnx, quiet_exporters

NETWORK = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softsign(), nn.Flatten(), nn.Linear(16, 2)).eval()


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("any_batch", [True, False])
def test_the_batch_is_free_or_the_example_s(any_batch: bool) -> None:
    model = export_onnx(NETWORK, torch.zeros(2, 3, 4, 4), any_batch=any_batch)
    (images,) = model.graph.input
    assert images.name == INPUT
    assert [output.name for output in model.graph.output] == [OUTPUT]
    first = images.type.tensor_type.shape.dim[0]
    assert first.dim_param == ("batch" if any_batch else "")
    assert first.dim_value == (0 if any_batch else 2)


@pytest.mark.slow
def test_it_carries_no_file_names() -> None:
    assert b".py" not in export_onnx(NETWORK, torch.zeros(2, 3, 4, 4), any_batch=True).SerializeToString()


def test_exporters_are_quiet_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    with quiet_exporters():
        warnings.warn("soon", stacklevel=1)
        logging.getLogger("exporter").warning("step 1")
    assert not caplog.records
    logging.getLogger("exporter").warning("after")
    assert [record.message for record in caplog.records] == ["after"]

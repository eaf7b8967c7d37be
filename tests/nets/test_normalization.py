"""The three modes against torch's own batch normalisation, on inputs whose statistics differ from a fresh norm's."""

import re

import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, scaled_norm, set_mode


def inputs(seed: int, batches: int = 4, size: int = 6) -> list[Tensor]:
    """Batches of shape (B, 5, 3, 3), every channel with a mean and a spread of its own."""
    generator = torch.Generator().manual_seed(seed)
    mean, spread = torch.randn(2, 5, 1, 1, generator=generator)
    return [
        mean + (0.1 + spread.abs()) * torch.randn(size + batch, 5, 3, 3, generator=generator)
        for batch in range(batches)
    ]


def test_a_batch_is_normalised_as_torch_does_while_training() -> None:
    norm, reference = RecordingBatchNorm(5), nn.BatchNorm2d(5, affine=False)
    for x in inputs(0):
        torch.testing.assert_close(norm(x), reference(x))
    assert norm.batches == 0
    assert torch.equal(norm.mean, torch.zeros(5))


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_recorded_statistics_are_torchs_cumulative_averages(batches: int) -> None:
    norm, reference = RecordingBatchNorm(5), nn.BatchNorm2d(5, affine=False, momentum=None)
    set_mode(norm, NormMode.RECORD)
    for x in inputs(1, batches):
        torch.testing.assert_close(norm(x), reference(x))
    torch.testing.assert_close(norm.mean, reference.running_mean)
    torch.testing.assert_close(norm.variance, reference.running_var)
    set_mode(norm, NormMode.RECORDED)
    reference.eval()
    for x in inputs(2):
        torch.testing.assert_close(norm(x), reference(x))


def test_recorded_statistics_are_plain_averages_over_batches() -> None:
    norm = RecordingBatchNorm(5)
    set_mode(norm, NormMode.RECORD)
    for x in inputs(3):
        norm(x)
    means = torch.stack([x.mean(dim=(0, 2, 3)) for x in inputs(3)])
    variances = torch.stack([x.var(dim=(0, 2, 3)) for x in inputs(3)])
    torch.testing.assert_close(norm.mean, means.mean(dim=0))
    torch.testing.assert_close(norm.variance, variances.mean(dim=0))


def test_recording_anew_forgets_what_was_recorded() -> None:
    """The statistics of one subnet must not leak into the next one's."""
    used, fresh = RecordingBatchNorm(5), RecordingBatchNorm(5)
    set_mode(used, NormMode.RECORD)
    for x in inputs(4):
        used(100 + 50 * x)
    for norm in (used, fresh):
        set_mode(norm, NormMode.RECORD)
        for x in inputs(5):
            norm(x)
    assert torch.equal(used.mean, fresh.mean)
    assert torch.equal(used.variance, fresh.variance)


def test_nothing_is_recorded_unless_asked_for() -> None:
    norm = RecordingBatchNorm(5)
    set_mode(norm, NormMode.RECORD)
    norm(inputs(6)[0])
    before = norm.mean.clone(), norm.variance.clone()
    for mode in (NormMode.RECORDED, NormMode.BATCH):
        set_mode(norm, mode)
        norm(10 * inputs(7)[0])
    assert torch.equal(norm.mean, before[0])
    assert torch.equal(norm.variance, before[1])


def test_statistics_that_were_never_recorded_are_not_used() -> None:
    norm = RecordingBatchNorm(5)
    set_mode(norm, NormMode.RECORDED)
    with pytest.raises(RuntimeError, match=re.escape("run it in RECORD first")):
        norm(inputs(8)[0])
    set_mode(norm, NormMode.RECORD)
    norm(inputs(8)[0])
    set_mode(norm, NormMode.RECORD)
    set_mode(norm, NormMode.RECORDED)
    with pytest.raises(RuntimeError, match=re.escape("nothing recorded")):
        norm(inputs(8)[0])


def test_a_checkpoint_holds_no_statistics_and_no_weights() -> None:
    norm = RecordingBatchNorm(5)
    assert norm.state_dict() == {}
    assert list(norm.parameters()) == []


def test_every_norm_inside_is_switched_and_others_are_left() -> None:
    module = nn.Sequential(RecordingBatchNorm(5), nn.Sequential(RecordingBatchNorm(5)), nn.BatchNorm2d(5))
    set_mode(module, NormMode.RECORDED)
    assert [part.mode for part in module.modules() if isinstance(part, RecordingBatchNorm)] == [NormMode.RECORDED] * 2


def test_gradients_are_torchs() -> None:
    x, same = inputs(9)[0].requires_grad_(), inputs(9)[0].requires_grad_()
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(10))
    for y, norm in ((x, RecordingBatchNorm(5)), (same, nn.BatchNorm2d(5, affine=False))):
        (norm(y) * weights).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, same.grad)


@pytest.mark.parametrize("channels", [5, 3])
def test_a_scaled_norm_is_torchs_with_its_first_scales(channels: int) -> None:
    norm, same = scaled_norm(5), nn.BatchNorm2d(channels, momentum=1.0)
    with torch.no_grad():
        for name, parameter in norm.named_parameters():
            parameter.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(len(name)))
            dict(same.named_parameters())[name].copy_(parameter[:channels])
    x = inputs(11)[0][:, :channels]
    torch.testing.assert_close(norm(x), same(x))
    set_mode(norm, NormMode.RECORD)
    torch.testing.assert_close(norm(x), same(x))
    set_mode(norm, NormMode.RECORDED)
    torch.testing.assert_close(norm(x), same.eval()(x))
    assert norm.state_dict().keys() == {"weight", "bias"}

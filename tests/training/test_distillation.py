"""A teacher pulls the student to its own scores, by its weight, and learns nothing itself."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from surrogate_nas.training.distillation import Teacher


class Fixed(nn.Module):
    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores = nn.Parameter(scores)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scores[: len(images)] * 1


SCORES = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]])


def test_the_loss_is_least_where_the_student_agrees() -> None:
    teacher = Teacher(Fixed(SCORES), 1.0, 2.0)
    taught, nothing = teacher.scores(torch.zeros(2, 1)), torch.zeros(())
    assert not taught.requires_grad
    assert teacher.loss(nothing, SCORES + 5, taught).item() == pytest.approx(0, abs=1e-6)  # softmax ignores the 5
    assert teacher.loss(nothing, SCORES.flip(0), taught).item() > 0.1


def test_the_weight_divides_the_loss_between_labels_and_teacher() -> None:
    student, labels = torch.zeros(2, 3), torch.tensor([0, 2])
    by_labels = F.cross_entropy(student, labels)
    full = Teacher(Fixed(SCORES), 1.0, 3.0).loss(by_labels, student, SCORES)
    for weight in (0.25, 0.5):
        loss = Teacher(Fixed(SCORES), weight, 3.0).loss(by_labels, student, SCORES)
        assert loss.item() == pytest.approx((1 - weight) * by_labels.item() + weight * full.item())


def test_the_divergence_is_that_of_plain_arithmetic() -> None:
    student = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    p, q = (F.softmax(one / 2, dim=1) for one in (SCORES, student))
    expected = 4 * (p * (p / q).log()).sum(dim=1).mean()
    assert Teacher(Fixed(SCORES), 1.0, 2.0).loss(torch.zeros(()), student, SCORES).item() == pytest.approx(
        expected.item(), rel=1e-5
    )


def test_images_of_small_classes_count_more_for_the_teacher_too() -> None:
    student, teacher = torch.zeros(2, 3), Teacher(Fixed(SCORES), 1.0, 2.0)
    alone = [teacher.loss(torch.zeros(()), student[:1], SCORES[[row]]).item() for row in (0, 1)]
    weighted = teacher.loss(torch.zeros(()), student, SCORES, torch.tensor([0.5, 3.0])).item()
    assert weighted == pytest.approx((0.5 * alone[0] + 3.0 * alone[1]) / 2)

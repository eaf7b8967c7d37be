"""Valid labels are accepted, and others are refused with clear messages."""

import re
from dataclasses import replace

import numpy as np
import pytest

from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError
from surrogate_nas.labels.records import LabelBatch, LabelIdentity
from surrogate_nas.space.load import load_space

CHOICES = (2, 3, 5)
IDENTITY = LabelIdentity("toy", "0123456789abcdef", CHOICES, "images", "0.1.0")
BATCH = LabelBatch(np.array([[0, 2, 4], [1, 0, 0]]), np.array([50.0, 100.0]), np.array([1.5, 0.1]), "supernet", 2, 7, 9)


def test_a_batch_becomes_rows_that_repeat_its_origin() -> None:
    rows = BATCH.rows(CHOICES)
    assert rows.codes.dtype == np.int8
    assert rows.codes.tolist() == [[0, 2, 4], [1, 0, 0]]
    assert rows.accuracy_percent.tolist() == [50.0, 100.0]
    assert rows.source.tolist() == ["supernet"] * 2
    assert (rows.member.tolist(), rows.seed.tolist(), rows.steps.tolist()) == ([2, 2], [7, 7], [9, 9])


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"codes": np.array([[0, 0], [1, 1]])}, SpaceError, "integers of shape (n, 3) (got int64 of shape (2, 2))"),
        ({"codes": np.array([0, 1, 2])}, SpaceError, "integers of shape (n, 3) (got int64 of shape (3,))"),
        ({"codes": np.zeros((2, 3))}, SpaceError, "integers of shape (n, 3) (got float64"),
        ({"codes": np.array([[0, 0, 0], [0, 3, 0]])}, SpaceError, "decision 1 has the choices 0 to 2 (got 3 in row 1)"),
        ({"codes": np.array([[-1, 0, 0], [0, 0, 0]])}, SpaceError, "choices 0 to 1 (got -1 in row 0)"),
        ({"accuracy_percent": np.array([50.0, 100.5])}, SettingsError, "within 0 to 100 (got 100.5 in row 1)"),
        ({"accuracy_percent": np.array([-0.1, 1.0])}, SettingsError, "within 0 to 100 (got -0.1 in row 0)"),
        ({"accuracy_percent": np.array([np.nan, 1.0])}, SettingsError, "within 0 to 100 (got nan in row 0)"),
        ({"accuracy_percent": np.array([1.0])}, SettingsError, "one value per code, shape (2,) (got (1,))"),
        ({"loss": np.array([1.0, np.inf])}, SettingsError, "loss must be finite (got inf in row 1)"),
        ({"loss": np.array([np.nan, 1.0])}, SettingsError, "loss must be finite (got nan in row 0)"),
        ({"loss": np.zeros((2, 1))}, SettingsError, "one value per code, shape (2,) (got (2, 1))"),
        ({"source": "guess"}, SettingsError, "one of supernet, training (got 'guess')"),
        ({"member": -2}, SettingsError, "member must be an integer from -1"),
        ({"seed": -1}, SettingsError, "seed must be an integer from 0 to 9223372036854775807 (got -1)"),
        ({"seed": 2**63}, SettingsError, "(got 9223372036854775808)"),
        ({"steps": 1.5}, SettingsError, "steps must be an integer from 0"),
    ],
)
def test_what_is_refused(change: dict[str, object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        replace(BATCH, **change).rows(CHOICES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("space_name", "macro"),
        ("space_fingerprint", "ffff"),
        ("choices", (2, 3, 6)),
        ("data_fingerprint", "other images"),
        ("code_version", "0.2.0"),
    ],
)
def test_another_identity_is_refused_naming_field_values_and_remedy(field: str, other: object) -> None:
    with pytest.raises(RunFolderError) as caught:
        IDENTITY.require(replace(IDENTITY, **{field: other}), "labels.h5")  # type: ignore[arg-type]
    message = str(caught.value)
    assert f"labels.h5 holds labels of another {field}: {getattr(IDENTITY, field)!r} (asked for {other!r}); " in message
    assert ("remove the file" if field == "code_version" else "another run folder") in message


def test_the_same_identity_is_accepted() -> None:
    IDENTITY.require(replace(IDENTITY), "labels.h5")


def test_a_space_has_the_identity_of_its_definition() -> None:
    space = load_space("nasbench201")
    identity = LabelIdentity.of_space(space, data_fingerprint="images", code_version="1")
    assert identity == LabelIdentity("nasbench201", space.fingerprint, (5,) * 6, "images", "1")
    assert identity.num_decisions == 6


@pytest.mark.parametrize("choices", [(), (3, 0), (129,)])
def test_impossible_choices_are_refused(choices: tuple[int, ...]) -> None:
    with pytest.raises(SpaceError, match=re.escape(f"1 to 128 choices each (got {choices})")):
        replace(IDENTITY, choices=choices)


def test_the_message_about_many_impossible_choices_is_short() -> None:
    with pytest.raises(SpaceError) as caught:
        replace(IDENTITY, choices=(3,) * 9999 + (200,))
    assert len(str(caught.value)) < 200

"""Facts are frozen, and nothing but plain values."""

from surrogate_nas.report.facts import against_rivals
from tests.report.facts.plain_fields import not_plain


def test_every_field_is_plain() -> None:
    assert not_plain(against_rivals) == []

"""Facts are frozen, and nothing but plain values."""

from surrogate_nas.report.facts import making
from tests.report.facts.plain_fields import not_plain


def test_every_field_is_plain() -> None:
    assert not_plain(making) == []

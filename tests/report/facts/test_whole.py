"""Facts are frozen, and nothing but plain values."""

import dataclasses
from types import ModuleType

from surrogate_nas.report.facts import whole
from surrogate_nas.report.facts.whole import StudyFacts
from tests.report.facts.plain_fields import not_plain


def test_every_field_is_plain() -> None:
    assert not_plain(whole) == []


def test_a_field_that_is_not_plain_is_found() -> None:
    fields = [("many", list[int]), ("one", int), ("some", tuple[str, ...] | None)]
    bad = dataclasses.make_dataclass("Bad", fields, namespace={"__module__": "made"})
    made = ModuleType("made")
    vars(made)["Bad"] = bad
    assert not_plain(made) == ["Bad", "Bad.many"]


def test_a_study_can_be_compared_and_hashed(facts: StudyFacts) -> None:
    assert dataclasses.replace(facts) == facts
    assert hash(facts) == hash(dataclasses.replace(facts))

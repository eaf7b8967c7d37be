"""Fingerprints change with their content; ``test_load`` has the fingerprints of definitions."""

from surrogate_nas.space.definitions.identity import identity_of
from surrogate_nas.space.operations.program import Program


def test_a_fingerprint_changes_with_meaning_and_program_and_not_with_the_name() -> None:
    plain = identity_of("any", ["cell", [[0, 1]], ["none"]])
    assert (plain.name, plain.program, len(plain.fingerprint)) == ("any", None, 16)
    assert identity_of("other", ["cell", [[0, 1]], ["none"]]).fingerprint == plain.fingerprint
    one, other = Program("a.py", "1"), Program("b.py", "2")
    prints = [identity_of("any", ["cell", [[0, 1]], ["none"]], program).fingerprint for program in (one, other)]
    assert len({*prints, plain.fingerprint, identity_of("any", ["chain"]).fingerprint}) == 4
    assert identity_of("any", [], one).program is one

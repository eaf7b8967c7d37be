"""The identity of a search space: its name, and a fingerprint of everything that gives a code its meaning."""

import hashlib
import json
from dataclasses import dataclass

from surrogate_nas.space.operations.program import Program


@dataclass(frozen=True)
class Identity:
    """The name of a space, and the fingerprint that stored results are compared by.

    Attributes:
        name: Name of the space.
        fingerprint: 16 hexadecimal digits that change with anything that changes the meaning of a code.
        program: The file of its operations, where they are a user's own.
    """

    name: str
    fingerprint: str
    program: Program | None = None


def identity_of(name: str, meaning: object, program: Program | None = None) -> Identity:
    """Returns the identity of a space.

    Args:
        name: Name of the space.
        meaning: Everything that gives a code its meaning, as JSON has it; not the sizes, which a study sets, nor
            remarks.
        program: The file of its operations, where they are a user's own.
    """
    fingerprint = _short_digest(json.dumps(meaning))
    return Identity(name, _short_digest(f"{fingerprint} {program.digest}") if program else fingerprint, program)


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

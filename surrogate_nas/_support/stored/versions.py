"""Versions of stored files: a file of a newer program says so, instead of being called damaged."""

from surrogate_nas.errors import StoreError


def require_version(where: object, found: object, known: int, remedy: str) -> None:
    """Refuses a file of another version than the one that is read.

    Args:
        where: The file, with what it holds, such as ``"the lookup table runs/a/lookup.json"``.
        found: Its version, whatever the file has in its place; digits count as a number.
        known: The version that is read.
        remedy: What can be done about an older or a damaged file.

    Raises:
        StoreError: If it is another one.
    """
    if isinstance(found, str) and found.isdecimal() and len(found) < 10:
        found = int(found)
    if found == known:
        return
    if isinstance(found, int) and found > known:
        raise StoreError(
            f"{where} has version {found!s:.40} and this program reads {known}: the program is older than the file;"
            " install the version of surrogate_nas that wrote it, or a newer one"
        )
    raise StoreError(f"{where} has version {found!r:.40} and this program reads {known}; {remedy}")

"""Measuring everything again: it begins once, however often a device goes away in the middle."""

from pathlib import Path

from surrogate_nas.errors import SettingsError


class Again:
    """A wish to measure a bench again, with a mark in its folder from when that has begun until it is done.

    Args:
        bench: Folder of the bench.
        who: What measures it, such as the name of a device; part of a file's name.
        asked: Whether the user asked for it now.

    Raises:
        SettingsError: If the place of the mark is a link.
    """

    def __init__(self, bench: Path, who: str, asked: bool) -> None:
        self._mark = bench / f".again-{who}"
        if self._mark.is_symlink():
            raise SettingsError(f"{self._mark} is a link, through which nothing of a bench is written; remove it")
        self.wanted = asked or self._mark.exists()
        """Whether results that are there do not count: it was asked for, now or before a stop."""
        self.afresh = asked and not self._mark.exists()
        """Whether what was measured before is to be removed first."""

    def begin(self) -> None:
        """Notes that what was measured before has been removed."""
        if self.afresh:
            self._mark.touch()

    def end(self) -> None:
        """Notes that everything has been measured."""
        self._mark.unlink(missing_ok=True)

"""Reads lists of numbers that benchmarks take as one option."""

from surrogate_nas.errors import SettingsError


def numbers(option: str, text: str, example: str, parts: str = ",", least: int = 1) -> list[int]:
    """Returns the numbers of a text such as ``1,2`` or ``8x1x16``.

    Args:
        option: Name of the option, such as ``"--rows"``.
        text: What was given.
        example: What would be right; as many numbers as it has are needed where they are parted by ``x``.
        parts: What stands between two numbers.
        least: Smallest number.

    Raises:
        SettingsError: If there is anything else in it.
    """
    found = [part.strip() for part in text.split(parts)]
    fits = parts == "," or len(found) == len(example.split(parts))
    if not fits or not all(part.isdecimal() and int(part) >= least for part in found):
        raise SettingsError(f"{option} takes numbers such as {example} (got {text!r})")
    return [int(part) for part in found]

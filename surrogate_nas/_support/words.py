"""Numbers of things in sentences."""


def count_of(number: int, one: str, several: str | None = None) -> str:
    """Returns a number with its noun, such as ``1 image`` and ``1,200 images``.

    Args:
        number: How many.
        one: The noun of one thing.
        several: The noun of more or none; ``one`` with an s where it is None.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"

"""Words that several parts use: numbers of things, errors of others in one line, what accuracies are of."""

SHARED_WEIGHTS = "with shared weights"  # what predicted accuracies are of where no finalist was trained


def count_of(number: int, one: str, several: str | None = None) -> str:
    """Returns a number with its noun, such as ``1 image`` and ``1,200 images``.

    Args:
        number: How many.
        one: The noun of one thing.
        several: The noun of more or none; ``one`` with an s where it is None.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def first_line(error: BaseException, letters: int = 300) -> str:
    """Returns the first line of an error's text, or the name of its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:letters]


def one_line(error: BaseException, letters: int = 200) -> str:
    """Returns the beginning of an error's text as one line, or the name of its kind where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= letters else f"{text[:letters]}..."

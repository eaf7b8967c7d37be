"""Texts of C: strings and comments of any content, and templates of files that hold them."""

from jinja2 import Environment, StrictUndefined


def c_environment() -> Environment:
    """Returns templates of C files, with the filters ``string`` and ``comment``; a file ends in a new line.

    Some compilers warn of a file that does not.
    """
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, keep_trailing_newline=True
    )
    environment.filters |= {"string": c_string, "comment": c_comment}
    return environment


def c_string(text: str) -> str:
    """Returns a C string of any text, with everything but plain ASCII as bytes of UTF-8 in octal."""
    return f'"{"".join(map(_c_character, text))}"'


def _c_character(character: str) -> str:
    if character in '"\\?':  # two question marks could begin a trigraph
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    # Octal ends after three digits where a hexadecimal escape would swallow what follows.
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def c_comment(text: str) -> str:
    """Returns a text that cannot end a comment."""
    return " ".join(text.replace("*/", "* /").split())

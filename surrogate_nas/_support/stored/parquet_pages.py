"""Sizes of the pages of a Parquet file by their own headers, since the table of contents may claim anything.

Where pages begin is read here too: pyarrow ends the process where the entry of a column contradicts itself. The table
of contents and the headers are structs in the compact protocol of Thrift. Of the fields of a header, 2 is the size of a
page once it is unpacked, 3 its size in the file, and one of 5, 7 and 8 says how many values it has and how they are
encoded.
"""

from collections.abc import Iterable, Iterator
from os import SEEK_END
from typing import Any, BinaryIO, NamedTuple

_DATA, _DICTIONARY, _DATA_OF_VERSION_2 = 5, 7, 8
_PLACE_OF_ENCODING = {_DATA: 2, _DICTIONARY: 2, _DATA_OF_VERSION_2: 4}
# Statistics of long texts make headers longer than the first of these, and nothing makes them longer than the second.
_USUAL_HEADER, _LONGEST_HEADER = 4096, 2**24
_LONGEST_CONTENTS = 2**22
_MOST_LEVELS = 8
_LIST, _SET, _STRUCT = 9, 10, 12
# Fields of the table of contents, of a group of rows, of a column in it, and of what describes that.
_GROUPS, _COLUMNS, _ABOUT, _PACKED, _PAGES, _FIRST = 4, 1, 3, 7, 9, 11


class _Long(int):
    """A number of 64 bits: where one is expected, pyarrow skips others."""


class Chunk(NamedTuple):
    """Pages of a column in a group of rows: the place of the first data page, of a dictionary, and their bytes."""

    data: int
    dictionary: int | None
    size: int


class Page(NamedTuple):
    """A page: its bytes once it is unpacked, its values (0 of a dictionary), and the number of its encoding."""

    size: int
    values: int
    encoding: int
    is_dictionary: bool


def chunks_of(source: BinaryIO) -> list[list[Chunk]]:
    """Returns the columns of each group of rows, by the table of contents at the end of a file.

    Raises:
        ValueError: If there is none, or it is longer than any table's of a space.
    """
    end = source.seek(-8, SEEK_END)
    length = int.from_bytes(source.read(4), "little")
    if not 0 < length <= min(end, _LONGEST_CONTENTS):
        raise ValueError(f"its table of contents has {length:,} bytes; at most {_LONGEST_CONTENTS:,} can be read")
    source.seek(end - length)
    try:
        contents, _ = _struct(source.read(length), 0, 0, lists=True)
    except IndexError:
        raise ValueError("its table of contents has no end") from None
    groups = [_listed(group, _COLUMNS) for group in _listed(contents, _GROUPS)]
    return [[_chunk(column.get(_ABOUT)) for column in group] for group in groups]


def _listed(struct: dict[int, Any], field: int) -> list[dict[int, Any]]:
    found = struct.get(field)
    if not isinstance(found, list):
        raise ValueError("its table of contents is damaged")
    return found


def _chunk(about: object) -> Chunk:
    places = [about.get(field) for field in (_PAGES, _FIRST, _PACKED)] if isinstance(about, dict) else [None] * 3
    data, dictionary, size = (place if isinstance(place, _Long) else None for place in places)
    if data is None or size is None or min(data, size) < 0:
        raise ValueError("its table of contents is damaged")
    return Chunk(data, dictionary, size)


def pages_of(source: BinaryIO, chunk: Chunk) -> Iterator[Page]:
    """Yields the pages of a column chunk, without unpacking any.

    Args:
        source: The file, which may be read anywhere.
        chunk: Its entry in the table of contents.

    Raises:
        ValueError: If what should be a header is none.
    """
    place, first = chunk.data, chunk.dictionary
    # As pyarrow finds the first page.
    if first is not None and 0 < first < place:
        place = first
    end = place + chunk.size
    while place < end:
        fields, length = _header(source, place)
        kinds = [kind for kind in _PLACE_OF_ENCODING if isinstance(fields.get(kind), dict)]
        size, packed = fields.get(2), fields.get(3)
        if not (isinstance(size, int) and isinstance(packed, int) and min(size, packed) >= 0 and len(kinds) <= 1):
            raise ValueError(f"at byte {place:,} there is no header of a page")
        for kind in kinds:
            values, encoding = fields[kind].get(1), fields[kind].get(_PLACE_OF_ENCODING[kind])
            if not (isinstance(values, int) and isinstance(encoding, int) and values >= 0):
                raise ValueError(f"at byte {place:,} there is no header of a page")
            yield Page(size, 0 if kind == _DICTIONARY else values, encoding, kind == _DICTIONARY)
        place += length + packed


class Extent(NamedTuple):
    """Sums over pages: bytes once they are unpacked, and values."""

    size: int
    values: int


def extent_of(source: BinaryIO, chunks: Iterable[Chunk]) -> Extent:
    """Returns what column chunks take, without unpacking any; raises what ``pages_of`` raises."""
    pages = [page for chunk in chunks for page in pages_of(source, chunk)]
    return Extent(sum(page.size for page in pages), sum(page.values for page in pages))


def _header(source: BinaryIO, place: int) -> tuple[dict[int, Any], int]:
    """Returns the fields of a header by number, and its length."""
    for most in (_USUAL_HEADER, _LONGEST_HEADER):
        source.seek(place)
        content = source.read(most)
        try:
            return _struct(content, 0, 0)
        except IndexError:
            if len(content) < most:
                break
    raise ValueError(f"the header of the page at byte {place:,} has no end")


def _struct(content: bytes, place: int, level: int, *, lists: bool = False) -> tuple[dict[int, Any], int]:
    """Returns the fields of a struct by number, lists only where they are needed, and the place behind it."""
    if level > _MOST_LEVELS:
        raise ValueError("the header of a page is nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    while True:
        head = content[place]
        place += 1
        if head == 0:
            return fields, place
        if head >> 4:
            number += head >> 4
        else:
            number, place = _whole(content, place)
        fields[number], place = _value(content, place, head & 15, level, lists)


def _value(content: bytes, place: int, kind: int, level: int, lists: bool) -> tuple[Any, int]:
    """Returns a field of a struct, None of what is not needed, and the place behind it."""
    if kind in (1, 2):
        return None, place  # a truth value, which its kind says
    if kind in (4, 5):
        return _whole(content, place)
    if kind == 6:
        folded, place = _varint(content, place)
        folded &= 2**64 - 1
        return _Long(folded >> 1 ^ -(folded & 1)), place
    if kind == _STRUCT:
        return _struct(content, place, level + 1, lists=lists)
    if kind in (_LIST, _SET):
        values, place = _list(content, place, level, lists)
        return values if kind == _LIST else None, place
    if kind == 8:
        length, place = _varint(content, place)
        place += length
    elif kind in (3, 7):
        place += 1 if kind == 3 else 8
    else:
        raise ValueError(f"the header of a page has a field of the unknown kind {kind}")
    if place > len(content):
        raise IndexError
    return None, place


def _list(content: bytes, place: int, level: int, lists: bool) -> tuple[list[Any] | None, int]:
    """Returns a list of structs, None of a list of anything else or where none is needed, and the place behind it."""
    head = content[place]
    count, kind = head >> 4, head & 15
    place += 1
    if count == 15:
        count, place = _varint(content, place)
    values = []
    for _ in range(count):
        # A truth value in a list takes a byte.
        value, place = _value(content, place, 3 if kind in (1, 2) else kind, level + 1, lists)
        if lists and kind == _STRUCT:
            values.append(value)
    return values if lists and kind == _STRUCT else None, place


def _whole(content: bytes, place: int) -> tuple[int, int]:
    """Returns a number with a sign, of 32 bits as pyarrow takes it, and the place behind it."""
    folded, place = _varint(content, place)
    folded &= 0xFFFFFFFF
    return folded >> 1 ^ -(folded & 1), place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
    raise ValueError("the header of a page has a number of too many bytes")

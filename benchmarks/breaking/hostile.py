"""Makes values, bytes and texts that no file should hold, from a random generator."""

import json
import random
from collections.abc import Callable
from typing import Any, TypeGuard

Draw = random.Random

_LONG = 100_000
# What json.dumps cannot write, in the place of a marked text.
_RAW = ("NaN", "Infinity", "1e999", "-0", "1" * 400, "[" * _LONG, "[" * 900 + "]" * 900, '"\\ud800"', "{", "01", "'x'")
_TEXTS = (
    "",
    "x",
    "\0",
    "\n",
    "\x1b[2J\x1b]0;x\x07",
    "x" * _LONG,
    "../../outside/file",
    "/etc/passwd",
    "\u202egnp",
    "é" * 300,
    "<script>",
    "a\nerror: b",
    "0" * 300,
    "nan",
    "1e999",
    "-1",
    "evil.py",
)
_NUMBERS = (0, 1, -1, 2, 7, 255, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), 10**12, 10**40, 10**400)
_FLOATS = (0.0, -0.0, 0.5, -1.5, 1e-320, 1e308, -1e308, 100.5)
_WORDS = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff" * 8, b"\0" * 8, b"\x80", b"\n", b"[", b"{", b'"', b"=", b",")


def value(draw: Draw, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Returns a value that JSON can write."""
    kind = draw.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return draw.choice((None, True, False))
    if kind == 1:
        return draw.choice(_NUMBERS)
    if kind == 2:
        return draw.choice(_FLOATS)
    if kind in (3, 4):
        return draw.choice(_TEXTS)
    if kind == 5:
        return draw.choice(([], {}, "@raw"))
    if kind == 6:
        return [value(draw, depth + 1) for _ in range(draw.randrange(5))]
    if kind == 7:
        return {draw.choice(_TEXTS)[:50]: value(draw, depth + 1) for _ in range(draw.randrange(5))}
    return [draw.choice(_NUMBERS)] * draw.choice((1, 3, 1000))


def changed(draw: Draw, content: Any) -> Any:  # noqa: ANN401 - JSON
    """Returns a copy of JSON with another value, a missing or an additional one somewhere."""
    if isinstance(content, dict) and content and draw.random() < 0.9:
        key = draw.choice(list(content))
        act = draw.random()
        if act < 0.1:
            return {name: one for name, one in content.items() if name != key}
        if act < 0.15:
            return {**content, draw.choice(_TEXTS): value(draw)}
        if act < 0.2:
            other = draw.choice(list(content))
            return {**content, key: content[other], other: content[key]}
        return {**content, key: changed(draw, content[key])}
    if isinstance(content, list) and content and draw.random() < 0.85:
        place = draw.randrange(len(content))
        act = draw.random()
        if act < 0.1:
            return content[:place] + content[place + 1 :]
        if act < 0.2:
            return content + [content[place]] * draw.choice((1, 2, 1000))
        return [*content[:place], changed(draw, content[place]), *content[place + 1 :]]
    if _is_number(content) and draw.random() < 0.4:
        return draw.choice((-content, content + 1, content * 10, content / 3, float(content), str(content)))
    return value(draw)


def _is_number(content: object) -> TypeGuard[float]:
    return isinstance(content, int | float) and not isinstance(content, bool) and abs(content) < 1e300


def json_text(draw: Draw, content: Any) -> str:  # noqa: ANN401 - JSON
    """Returns JSON, with what no JSON has in some places."""
    text = json.dumps(content)
    for _ in range(3):
        text = text.replace('"@raw"', draw.choice(_RAW), 1)
    # The same in a thousand places would be a file of gigabytes.
    return text.replace('"@raw"', "null")


def changed_json(draw: Draw, data: bytes) -> bytes:
    """Returns JSON with one or a few changes; data that are no JSON become new JSON."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = value(draw)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = changed(draw, content)
    return json_text(draw, content).encode("utf-8", "surrogatepass")


def changed_lines(draw: Draw, data: bytes) -> bytes:
    """Returns lines of JSON with changes in some, some twice, and some gone."""
    lines = data.split(b"\n")
    for _ in range(draw.choice((1, 1, 2, 5))):
        place = draw.randrange(len(lines))
        act = draw.random()
        if act < 0.7:
            lines[place] = changed_json(draw, lines[place])
        elif act < 0.8:
            lines.insert(place, lines[draw.randrange(len(lines))])
        elif act < 0.9 and len(lines) > 1:
            del lines[place]
        else:
            lines[place] = draw.choice((b"", b"[" * _LONG, b"{}", b"null", b"5", b"\xff\xfe", lines[place][:-1]))
    return b"\n".join(lines)


def changed_bytes(draw: Draw, data: bytes) -> bytes:
    """Returns data with flipped bits, other bytes, parts that are cut, doubled or put in from elsewhere."""
    result = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        if not result:
            return draw.randbytes(draw.randrange(40))
        draw.choice(_BYTE_CHANGES)(draw, result)
    return bytes(result)


def _place(draw: Draw, data: bytearray) -> int:
    """Returns a place, half of the time near the beginning or the end, where headers are."""
    near = min(len(data), 600)
    at = draw.randrange(near)
    return draw.choice((draw.randrange(len(data)), draw.randrange(len(data)), at, len(data) - 1 - at))


def _flip(draw: Draw, data: bytearray) -> None:
    data[_place(draw, data)] ^= 1 << draw.randrange(8)


def _set(draw: Draw, data: bytearray) -> None:
    word, at = draw.choice(_WORDS), _place(draw, data)
    data[at : at + len(word)] = word


def _cut(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    del data[at : at + draw.choice((1, 4, 64, len(data)))]


def _double(draw: Draw, data: bytearray) -> None:
    at = _place(draw, data)
    data[at:at] = data[at : at + draw.choice((1, 8, 64, 1024))] * draw.choice((1, 2, 40))


def _insert(draw: Draw, data: bytearray) -> None:
    data[_place(draw, data) : 0] = draw.choice((draw.randbytes(draw.randrange(1, 9)), *_WORDS))


def _move(draw: Draw, data: bytearray) -> None:
    here, there, size = _place(draw, data), _place(draw, data), draw.choice((1, 4, 32))
    data[here : here + size] = data[there : there + size]


_BYTE_CHANGES: tuple[Callable[[Draw, bytearray], None], ...] = (_flip, _flip, _set, _cut, _double, _insert, _move)


def text(draw: Draw) -> str:
    """Returns a text that no table or definition should hold."""
    return str(draw.choice((*_TEXTS, *map(str, _NUMBERS[:14]), *map(str, _FLOATS), "1" * 400, "[" * 1000)))


def toml_value(draw: Draw) -> str:
    """Returns a value as TOML writes it, or nearly."""
    plain = json.dumps(draw.choice(_TEXTS))
    numbers = (str(draw.choice(_NUMBERS)), str(draw.choice(_FLOATS)), "nan", "-inf", "0x7fffffffffffffff", "1e999")
    odd = ("[]", "{}", "true", "[[1]]", "1979-05-27", "[" * 1000, "{a=" * 500, "'''x", '"\\ud800"', '"\\u0000"')
    lists = (f"[{', '.join([plain] * draw.choice((1, 2, 500)))}]", f"{{x = {plain}}}", '["none", "identity"]')
    return draw.choice((plain, *numbers, *odd, *lists))


def changed_toml(draw: Draw, data: bytes) -> bytes:
    """Returns TOML with other values, and lines that are gone, doubled or of no use."""
    lines = data.decode("utf-8", "replace").split("\n")
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        place, act = draw.randrange(len(lines)), draw.random()
        key, equals, _ = lines[place].partition("=")
        if act < 0.65 and equals:
            lines[place] = f"{key}= {toml_value(draw)}"
        elif act < 0.75 and len(lines) > 1:
            del lines[place]
        elif act < 0.85:
            lines.insert(place, lines[draw.randrange(len(lines))])
        else:
            key = draw.choice(("x", "a.b", "name", "program", "kind", "space", "network.stages"))
            odd, keys = f"{key} = {toml_value(draw)}", f"{'.'.join(['a'] * draw.choice((3, 25, 20_000)))} = 1"
            lines.insert(place, draw.choice((odd, odd, keys, "[x]", "[[stages]]", "[data]", "[network]", "\0", "#")))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed_csv(draw: Draw, data: bytes) -> bytes:
    """Returns a table with other cells, rows and columns."""
    rows = [line.split(",") for line in data.decode("utf-8", "replace").split("\n")]
    for _ in range(draw.choice((1, 1, 2, 4))):
        row, act = draw.choice(rows), draw.random()
        if act < 0.6:
            row[draw.randrange(len(row))] = draw.choice((text(draw), '"', '"a,b"', "1e-400", "0x1p5", "1_000", " 5 "))
        elif act < 0.7:
            rows[0][draw.randrange(len(rows[0]))] = draw.choice((text(draw), *rows[0]))
        elif act < 0.8:
            rows.insert(draw.randrange(len(rows)), list(row) * draw.choice((1, 2)))
        elif act < 0.9:
            row.append(text(draw))
        else:
            for one in rows:
                one[-1] = str(draw.choice((*_FLOATS, "nan", "inf", "")))
    return "\n".join(map(",".join, rows)).encode("utf-8", "surrogatepass")

"""What WeChat and WeCom write in a body: XML, or JSON with the same names; and what is alike in both. Pure.

XML is parsed by expat. A document type is refused as soon as it begins, and without one there are no entities to
expand and nothing external to read; depth and number of elements are bounded. (defusedxml parses in Python: ten times
the time.)
"""

from collections.abc import Container, Mapping
from hashlib import blake2b
from math import isfinite
from typing import Any
from xml.parsers import expat

from ingest import bodies
from ingest.refusal import invalid, malformed
from ingest.shapes import Fields

DEPTH = 16
ELEMENTS = 10_000


def parse(body: bytes) -> Fields:
    """The fields of a body: texts, and objects and lists of them; Refusal where it is none."""
    fields = bodies.parse(body) if body.lstrip()[:1] == b"{" else _xml(body)
    if not isinstance(fields, dict):
        raise malformed("not an object of fields")
    return fields


def _xml(body: bytes) -> Any:
    """The document's element: a text, or an object by names, in which what comes several times is a list."""
    stack: list[tuple[Fields, list[str]]] = [({}, [])]
    count = 0

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > DEPTH or count > ELEMENTS:
            raise malformed("too many elements, or nested too deep")
        stack.append(({}, []))

    def end(name: str) -> None:
        children, texts = stack.pop()
        _put(stack[-1][0], name, children or "".join(texts))

    def text(data: str) -> None:
        stack[-1][1].append(data)

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = _doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise malformed(f"not XML: {expat.ErrorString(error.code)}") from None
    return next(iter(stack[0][0].values()))


def _put(into: Fields, name: str, value: Any) -> None:
    if name not in into:
        into[name] = value
    elif isinstance(into[name], list):
        into[name].append(value)
    else:
        into[name] = [into[name], value]


def _doctype(*_: Any) -> None:
    raise malformed("a document type is not taken")


def properties(body: Fields, ours: Mapping[str, str], leave: Container[str]) -> Fields:
    """What a body says but for what is to `leave`: under `ours` names, else under the sender's own."""
    return {
        ours.get(name, name): value
        for name, value in body.items()
        if name not in leave and value is not None and value != ""
    }


def number(value: Any) -> Any:
    """A coordinate as a number, where it is one."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return value
    return found if isfinite(found) else value


def instant(value: Any) -> Any:
    """A CreateTime for `timestamp`: XML has its seconds as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return int(value)
    return value or None


def kind_of(body: Fields, field: str) -> str:
    """What kind of thing the sender calls it; Refusal where it does not say."""
    kind = body.get(field)
    if not isinstance(kind, str) or not kind.strip():
        raise invalid(f"{field} is missing")
    return kind


def digest(*parts: Any) -> str:
    """A short text that is the same for the same parts."""
    joined = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return blake2b(joined, digest_size=16).hexdigest()

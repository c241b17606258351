"""Request bodies: inflating and parsing them without losing a digit. Pure.

orjson parses what it can. It silently rounds long numbers, and refuses a whole body for one bad string in it;
so a body with a long number, and one that it refuses, is parsed by the standard library: long numbers come as
Decimal, broken UTF-8 as lone surrogates, and `dump` then refuses just the event that they are in.
"""

import json
import re
import zlib
from decimal import Decimal
from typing import Any

import orjson

from ingest.refusal import Refusal, malformed, too_large

MAX_EVENT = 32 * 1024
MAX_EVENTS = 2_500
MAX_BODY = 512_000 + MAX_EVENT
"""Bytes of a body, inflated: a batch and its envelope, or the one event by which some SDKs overshoot."""
KEPT = "; the start of it is kept"

DIGITS = bytes(48 if chr(byte) in "0123456789." else 32 for byte in range(256))
LONG = b"0" * 16
LONG_NUMBER = re.compile(rb"(?<![^:,\[\s-])[0-9][0-9.]{15}")
WRITE_KEY = re.compile(rb'("writeKey"\s*:\s*")[^"]*')
WRITE_KEY_OF_URL = re.compile(rb'([?&]writeKey=)[^"&#\\\s]*')
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def oversized(start: bytes, most: int = MAX_BODY) -> Refusal:
    """The body is over the limit; of it, the start is kept."""
    return too_large(f"a body may have {most} bytes{KEPT}", start[:MAX_EVENT])


def inflate(body: bytes, most: int = MAX_BODY) -> bytes:
    """A gzip body as plain bytes, inflated no further than the limit; Refusal where it is none or goes on."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error:
        raise malformed("the body is not gzip", body) from None
    if len(plain) > most:
        raise oversized(plain, most)
    if not inflater.eof:
        raise malformed("the gzip body is cut off", body)
    if inflater.unused_data.strip(b"\0"):
        raise malformed("there is more behind the gzip body", body)
    return plain


def parse(body: bytes) -> Any:
    """The parsed body; Refusal where it is not JSON."""
    if LONG not in body.translate(DIGITS) or not LONG_NUMBER.search(body):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return _parse_exactly(body)


def _parse_exactly(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8", "surrogateescape"),
            parse_int=_integer,
            parse_float=_float,
            parse_constant=Decimal,
        )
    except RecursionError:
        raise malformed("nested too deep") from None
    except ValueError as error:
        raise malformed(f"not JSON: {getattr(error, 'msg', 'unreadable')}") from None


def _integer(digits: str) -> int | Decimal:
    """64-bit integers as integers; longer ones as Decimal."""
    if len(digits) <= 20 and -(2**63) <= (number := int(digits)) < 2**64:
        return number
    return Decimal(digits)


def _float(digits: str) -> float | Decimal:
    """Decimal where the digits are more than money may have, or the number more than a double holds."""
    if len(digits) > 15:
        return Decimal(digits)
    number = float(digits)
    return number if abs(number) < float("inf") else Decimal(digits)


def dump(value: Any) -> bytes:
    """Plain JSON for the log; TypeError where no reader of the log could take it."""
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> float:
    """A long decimal as any parser would read it."""
    if isinstance(value, Decimal) and value.is_finite() and value.as_tuple().exponent != 0:
        number = float(value)
        if abs(number) < float("inf"):
            return number
    raise TypeError("a number that no 64-bit integer or double holds; send it as a string")


def original(message: Any) -> bytes:
    """One event of a batch as it came, but for white space: what a rejected record keeps."""
    try:
        return orjson.dumps(message, default=lambda number: orjson.Fragment(str(number)))
    except TypeError:
        return _escaped(message)


def _escaped(message: Any) -> bytes:
    try:
        return json.dumps(message, default=str).encode()
    except RecursionError:
        return b""


def keyless(kept: bytes) -> bytes:
    """What is kept of a body or an event, without the write key that SDKs may put into it, or into a URL."""
    if b"writeKey" not in kept:
        return kept
    return WRITE_KEY_OF_URL.sub(rb"\1", WRITE_KEY.sub(rb"\1", kept))

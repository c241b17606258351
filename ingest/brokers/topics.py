"""Topic filters with named levels, and an MQTT message as a row. Pure.

shops/{shop}/kiosks/{device}/+   subscribes to shops/+/kiosks/+/+, and gives `$shop` and `$device`
"""

import re
from collections.abc import Callable

from ingest.brokers.rows import Given, Row, columns
from ingest.mapping import content_id

NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")
Levels = Callable[[str], dict[str, str]]
"""The named levels of a topic, each after a `$`."""


def subscription(given: str, share: str | None) -> str:
    """The filter as brokers know it."""
    plain = NAMED.sub("+", given)
    return plain if share is None else f"$share/{share}/{plain}"


def levels(filters: tuple[str, ...]) -> Levels:
    """What names the levels of a topic, by the first filter that it matches."""
    patterns = [re.compile(_pattern(each)) for each in filters]

    def named(topic: str) -> dict[str, str]:
        for pattern in patterns:
            if found := pattern.fullmatch(topic):
                return {f"${name}": level for name, level in found.groupdict().items()}
        return {}

    return named


def given(
    name: str, named: Levels, topic: str, payload: bytes, properties: dict[str, str], packet: int
) -> Given:
    """A message as a record: what it says tells it from others, `packet` (0: none) only where the mapping asks for it.

    MQTT has no id that survives being sent again: by its device, which was not acknowledged, or by the broker.
    """

    def row() -> Row:
        told: Row = {**columns(payload, text=True), **named(topic), "$topic": topic}
        if properties:
            told["$properties"] = properties
        if packet:
            told["$packet"] = packet
        return told

    def message_id(row: Row) -> str:
        return content_id(name, {column: value for column, value in row.items() if column != "$packet"})

    return Given(payload, row, message_id)


def _pattern(given: str) -> str:
    """A filter as a regular expression; `a/#` is `a` too."""
    pattern = "/".join(map(_level, given.split("/")))
    return pattern.removesuffix("/.*") + "(/.*)?" if pattern.endswith("/.*") else pattern


def _level(level: str) -> str:
    if found := NAMED.fullmatch(level):
        return f"(?P<{found[1]}>[^/]*)"
    return {"+": "[^/]*", "#": ".*"}.get(level) or re.escape(level)

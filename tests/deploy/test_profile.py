"""A customer on the terminal."""

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from deploy.profile import portrait
from projections.profile import Label, Profile

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "stage": "mature", "stage_since": SINCE, "lifecycle": "lifecycle/shop/1", "tier": "gold",
    "relationship_score": 5, "frequency_score": 3, "monetary_score": 4,
}  # fmt: skip


def shown(*labels: Label) -> list[list[str]]:
    text = io.StringIO()
    Console(file=text, width=160).print(portrait(Profile(COLUMNS, (), labels)), highlight=False)
    return [line.split("  ") for line in text.getvalue().splitlines()]


def test_a_portrait_begins_with_what_is_most_and_says_since_when_and_by_what() -> None:
    lines = shown(
        Label("segment", "vip", "", SINCE, "segment/vip/2"),
        Label("tag", "basket", "large", SINCE, "tag/basket/1"),
        Label("role", "fan", "", SINCE, "role/fan/1"),
        Label("value", "customer", "gold", SINCE, "value/customer/1"),
    )[1:]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    since = "2026-01-02 03:04:05"
    assert cells == [
        ["stage", "mature", since, "lifecycle/shop/1"],
        ["value", "gold", "relationship 5, frequency 3, monetary 4", since, "value/customer/1"],
        ["role", "fan", since, "role/fan/1"],
        ["tag", "basket", "large", since, "tag/basket/1"],
        ["segment", "vip", since, "segment/vip/2"],
    ]


def test_whoever_is_nothing_yet_has_a_stage() -> None:
    assert len(shown()) == 2

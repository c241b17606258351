"""What must have come of a ledger: a naive computation over all of it that imports nothing of the platform."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from tests import oracle
from tests.faults.ledger import Ledger, Message

DAY = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 -- plain on purpose
CHANNELS = {"shop": "ecommerce", "pos": "offline", "social": "social"}
NAMES = {"page": "Page Viewed", "identify": "Identified"}
Body = dict[str, Any]
Who = tuple[str, str]
"""Namespace and value of the customer's one identifier that is not personal."""


class Step(NamedTuple):
    """A change of stage."""

    from_: str | None
    to: str
    effective_at: int
    caused_at: int
    cause: str


def told(ledger: Ledger) -> tuple[dict[Who, list[Body]], set[str]]:
    """The good events of each customer, each once, in the order in which they were sent; and the bad messageIds."""
    good, bad, seen = defaultdict(list), set(), set()
    for source, message in ledger.entries():
        if message["messageId"].startswith("bad"):
            bad.add(message["messageId"])
        elif message["messageId"] not in seen:
            seen.add(message["messageId"])
            good[_who(message)].append(_body(source, message))
    return dict(good), bad


def _who(message: Message) -> Who:
    return ("user_id", message["userId"]) if "userId" in message else ("anonymous_id", message["anonymousId"])


def _body(source: str, message: Message) -> Body:
    return {
        "source": source,
        "message_id": message["messageId"],
        "name": NAMES.get(message["type"]) or message["event"],
        "occurred_at": (datetime.fromisoformat(message["timestamp"]) - EPOCH) // timedelta(milliseconds=1),
        "channel": CHANNELS[source],
        "properties": message.get("properties", {}),
        "traits": message.get("traits", {}),
    }


def way(events: Iterable[Body], end: int) -> list[Step]:
    """A customer's way through the stages of a shop, up to `end`, where the events come in this order."""
    steps: list[Step] = []
    at: int | None = None
    own: int | None = None
    purchases, responded = 0, False
    stated: list[Body] = []

    def look(now: int, caused_at: int, cause: str) -> None:
        stage = _stage(purchases, own, responded, now)
        before = steps[-1].to if steps else None
        if stage != before:
            steps.append(Step(before, stage, now, caused_at, cause))

    def let_pass(since: int, until: int) -> None:
        for days in (90, 365):
            boundary = 0 if own is None else (own // DAY + days) * DAY
            if since < boundary <= until:
                look(boundary, boundary, "time")

    for event in events:
        now = event["occurred_at"] if at is None else max(at, event["occurred_at"])
        let_pass(now if at is None else at, now)
        at = now
        if event["name"] not in oracle.NOT_OWN:
            own = event["occurred_at"] if own is None else max(own, event["occurred_at"])
        responded |= event["name"] in ("Signed Up", "Account Followed")
        if event["name"].startswith("Order"):
            stated.append(event)
            purchases = oracle.facts(stated)["purchases"]
        look(now, event["occurred_at"], f"{event['source']}/{event['message_id']}")
    if at is not None:
        let_pass(at, end)
    return steps


def _stage(purchases: int, own: int | None, responded: bool, now: int) -> str:
    if purchases == 0:
        return "responder" if responded else "prospect"
    if own is not None and now >= (own // DAY + 90) * DAY:
        return "churned" if now >= (own // DAY + 365) * DAY else "silent"
    return "new" if purchases == 1 else "mature"

"""Odd, repeated and hostile input, from the door to the views of a whole platform."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import pytest

from deploy.init import init
from projections.connect import connect
from projections.migrate import migrate
from schemas.settings import Settings
from tests.conftest import settings_for
from tests.ingest.servers import Client, serving
from tests.integration.log import write
from tests.processes import Process, running
from tests.processors.events import Said
from tests.servers import Address, Server
from tests.waiting import until

Message = dict[str, Any]
HOSTILE = (
    '<script>alert(\'x\')</script>\r\n\x1b[31m{"event":"forged","level":"error"}\n'
    "2026-01-01 [error] forged\u2028\u0007"
)


class Platform(NamedTuple):
    """A platform that runs, and a sender."""

    settings: Settings
    client: Client
    processes: tuple[Process, ...]

    def batch(self, *messages: Message) -> None:
        assert self.client.post("/v1/batch", {"batch": list(messages)}).status == 200

    def rows(self, query: str, **words: Any) -> list[tuple[Any, ...]]:
        with connect(self.settings) as client:
            found: list[tuple[Any, ...]] = client.execute(query, words)
        return found

    def until_events(self, customer: str, count: int) -> None:
        """Return when this many events of a customer are counted, and a later event of theirs would be, too."""
        query = "SELECT events FROM profiles WHERE has(identifiers['user_id'], %(who)s)"
        until(
            lambda: self.rows(query, who=customer) == [(count,)], f"{count} events of {customer} are counted"
        )


@pytest.fixture(scope="module")
def platform(
    kafka: str, clickhouse: Server | Address, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    settings = settings_for(
        tmp_path_factory.mktemp("abuse"), kafka=kafka, clickhouse_host=clickhouse.host,
        clickhouse_port=clickhouse.tcp, clickhouse_http_port=clickhouse.http,
    )  # fmt: skip
    init(settings)
    migrate(settings)
    ingest, worker, sink = (Process(name, settings) for name in ("ingest", "worker", "sink"))
    with running(worker, sink), serving(ingest, settings) as client:
        yield Platform(settings, client, (ingest, worker, sink))


def track(who: str, id_: str, name: str, at: Any = None, **properties: Any) -> Message:
    message = {
        "type": "track",
        "userId": who,
        "messageId": f"{who}-{id_}",
        "event": name,
        "properties": properties,
    }
    return message if at is None else {**message, "timestamp": at}


def day_of(who: str) -> list[Message]:
    """One eventful day of a customer."""
    noon, messages = datetime.now(UTC) - timedelta(days=30), list[Message]()
    for number in range(12):
        at = (noon + timedelta(minutes=7 * number)).isoformat()
        order = {"order_id": f"{who}-{number // 2}", "currency": "USD"}
        messages += [
            track(who, f"v{number}", "Product Viewed", at, sku=f"s{number}"),
            track(who, f"o{number}", "Order Completed", at, **order, total=f"{number}.25"),
        ]
        if number % 3 == 0:
            messages.append(
                track(who, f"r{number}", "Order Refunded", at, **order, refund_id="r", total="0.5")
            )
        if number == 7:
            messages.append(track(who, f"c{number}", "Order Cancelled", at, order_id=order["order_id"]))
    return messages


def test_every_event_three_times_and_shuffled_gives_the_same_customer(platform: Platform) -> None:
    platform.batch(*day_of("plain"))
    again = day_of("again") * 3
    random.Random(10).shuffle(again)
    for start in range(0, len(again), 10):
        platform.batch(*again[start : start + 10])
    platform.batch(track("again", "end", "Visit"), track("plain", "end", "Visit"))
    for who in ("plain", "again"):
        platform.until_events(who, len(day_of(who)) + 1)
    plain, other = (
        platform.rows(
            """SELECT stage, events, event_counts, active_days, channels, purchases, revenue, refunded,
            dateDiff('second', first_seen, last_seen) > 0
            FROM profiles WHERE has(identifiers['user_id'], %(who)s)""",
            who=who,
        )
        for who in ("plain", "again")
    )
    assert plain == other
    count = "SELECT count() FROM events WHERE has(identifiers['user_id'], %(who)s)"
    until(lambda: platform.rows(count, who="again") == [(len(day_of("again")) + 1,)], "the events are there")


def test_of_one_message_id_with_two_payloads_the_first_counts_everywhere(platform: Platform) -> None:
    platform.batch(
        track("twin", "1", "Order Completed", total="10"), track("twin", "2", "Visit", shop="first")
    )
    platform.batch(
        track("twin", "1", "Order Completed", total="99"), track("twin", "2", "Visit", shop="second")
    )
    platform.batch(track("twin", "3", "Visit", shop="first"), track("twin", "3", "Visit", shop="second"))
    platform.batch(track("twin", "end", "Visit"))
    platform.until_events("twin", 4)
    seen = "SELECT message_id, properties FROM events WHERE has(identifiers['user_id'], 'twin')"
    until(lambda: len(platform.rows(seen)) == 4, "the events are there")
    stated = {id_: orjson.loads(properties) for id_, properties in platform.rows(seen)}
    assert stated["twin-1"]["total"] == "10"
    assert stated["twin-2"] == stated["twin-3"] == {"shop": "first"}
    told = platform.rows("SELECT revenue, purchases FROM profiles WHERE has(identifiers['user_id'], 'twin')")
    assert told == [(Decimal(10), 1)]
    (placed,) = platform.rows("SELECT amount FROM orders WHERE order_id = 'twin-1'")
    assert placed == (Decimal(10),)


def test_clocks_that_are_decades_off_harm_nobody(platform: Platform) -> None:
    now = datetime.now(UTC)
    ahead = (now + timedelta(days=3650)).isoformat()
    platform.batch(
        track("clock", "past", "Visit", "1970-01-01T00:00:00Z"),
        track("clock", "ahead", "Visit", ahead),
        {**track("clock", "both", "Visit", ahead), "sentAt": ahead},
        {**track("clock", "since", "Visit", "1970-01-01T00:00:00Z"), "sentAt": "1970-01-01T00:00:09Z"},
        track("clock", "never", "Visit", "0000-00-00T00:00:00Z"),
    )
    nan = b'{"batch":[{"type":"track","userId":"clock","messageId":"clock-nan","event":"Visit","timestamp":NaN},'
    nan += orjson.dumps(track("clock", "end", "Visit")) + b"]}"
    assert platform.client.post("/v1/batch", nan).status == 200
    platform.until_events("clock", 5)
    seen = (
        "SELECT message_id, occurred_at, received_at FROM events WHERE has(identifiers['user_id'], 'clock')"
    )
    until(lambda: len(platform.rows(seen)) == 5, "the events are there")
    occurred = {id_: (at, received) for id_, at, received in platform.rows(seen)}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert occurred["clock-past"][0] == occurred["clock-since"][0] == epoch
    for id_ in ("clock-ahead", "clock-both"):
        assert occurred[id_][0] == occurred[id_][1]
    refused = (
        "SELECT message_id, reason FROM rejected WHERE startsWith(message_id, 'clock') ORDER BY message_id"
    )
    until(lambda: len(platform.rows(refused)) == 2, "the rejections are there")
    assert platform.rows(refused) == [("clock-nan", "invalid"), ("clock-never", "invalid")]
    late = platform.rows(
        "SELECT max(last_seen) <= now64(3) FROM profiles WHERE has(identifiers['user_id'], 'clock')"
    )
    assert late == [(1,)], "nobody lives in the future"


def test_hostile_texts_are_kept_as_they_are_and_forge_no_line_of_a_log(platform: Platform) -> None:
    hostile = {"type": "identify", "userId": "eve", "messageId": "eve-1", "traits": {"name": HOSTILE}}
    refused = {"type": HOSTILE, "userId": HOSTILE, "messageId": "eve-2"}
    platform.batch(hostile, refused, track("eve", "3", HOSTILE[:100], **{HOSTILE: HOSTILE}))
    assert (
        platform.client.post("/v1/track", {"event": "", "userId": HOSTILE, "messageId": HOSTILE[:90]}).status
        == 400
    )
    versions = [orjson.dumps({"v": HOSTILE[at:], "type": HOSTILE, "name": HOSTILE}) for at in (0, 28, 60)]
    write(
        platform.settings, [Said(f"user_id:eve{n}", value, "user_id:eve") for n, value in enumerate(versions)]
    )
    platform.until_events("eve", 2)
    until(
        lambda: (
            platform.rows("SELECT count() FROM rejected WHERE position(original, 'forged') > 0")[0][0] >= 5
        ),
        "the rejections are there",
    )
    (name,) = platform.rows(
        "SELECT JSONExtractString(traits, 'name') FROM profiles WHERE has(identifiers['user_id'], 'eve')"
    )
    assert name == (HOSTILE,)
    for process in platform.processes:
        said = process.said()
        assert "\x1b[31m" not in said
        assert "\x07" not in said
        assert not [line for line in said.splitlines() if line.startswith(('{"event":"forged', "2026-01-01"))]

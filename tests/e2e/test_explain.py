"""Why a customer is what they are: the operator asks, and without the events that are named it would be otherwise."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from deploy import thresholds
from deploy.announce import newest
from deploy.answer import explain, named
from deploy.definitions import history as log
from deploy.definitions.audit import audit
from deploy.definitions.plan import standing
from deploy.demo.shop import is_ready
from deploy.identity import link, split
from deploy.init import init
from processors.portrait.explain import Answer
from projections.connect import connect
from projections.history import events_of
from projections.migrate import migrate
from schemas import conditions as c
from schemas.conditions import Condition
from schemas.errors import ConfigError, NotFound
from schemas.graph import Defined
from schemas.portrait import Thresholds
from schemas.settings import Settings
from tests import portrait_oracle as oracle
from tests.conftest import settings_for
from tests.deploy.test_cli import cdp
from tests.ingest.servers import Client
from tests.processes import Process, environment, running
from tests.servers import Address, Server
from tests.waiting import until

DAY = 86_400


def ago(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY))


def order(number: int, days: float, total: str, **ids: Any) -> dict[str, Any]:
    bought = {"order_id": f"o{number}", "total": total}
    return {
        "event": "Order Completed",
        "messageId": f"m{number}",
        "timestamp": ago(days),
        "properties": bought,
        **ids,
    }


def say(settings: Settings) -> None:
    """Ada follows, visits and buys twice within a month, before she signs up; ten others buy something."""
    client = Client(settings)
    card = {"externalIds": [{"type": "membership_card", "id": "card-1"}]}
    said: list[dict[str, Any]] = [
        {"event": "Account Followed", "messageId": "f1", "timestamp": ago(200), "context": card},
        {
            "event": "Product Viewed",
            "messageId": "v1",
            "timestamp": ago(61.01),
            "userId": "ada",
            "context": card,
        },
        order(1, 61, "180.50", userId="ada"),
        order(2, 40, "90", userId="ada", context=card),
        order(3, 3, "1.25", userId="ada"),
    ]
    said += [order(10 + n, 100 - n, f"{n}.5", userId=f"other-{n}") for n in range(10)]
    for message in said:
        answer = client.post("/v1/track", message)
        assert answer.status == 200, answer.body


@pytest.fixture(scope="module")
def live(
    kafka: str, clickhouse: Server | Address, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A shop, with what it knows of Ada shown, and thresholds in force."""
    settings = settings_for(
        tmp_path_factory.mktemp("explained"), kafka=kafka, clickhouse_host=clickhouse.host,
        clickhouse_port=clickhouse.tcp, clickhouse_http_port=clickhouse.http,
    )  # fmt: skip
    init(settings)
    migrate(settings)
    with running(*(Process(name, settings) for name in ("sink", "worker", "ingest"))):
        until(lambda: is_ready(settings), "ingest takes events")
        say(settings)
        until(
            lambda: ask(settings, "SELECT count() FROM profiles WHERE purchases > 0") == [(11,)],
            "all are shown",
        )
        until(lambda: shown(settings)["events"] == 5, "Ada is one customer, who has bought three times")
        assert thresholds.recompute(settings).published
        until(lambda: shown(settings)["tier"] != "", "she has a tier")
        yield settings


def ask(settings: Settings, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
    with connect(settings) as client:
        return cast("list[tuple[Any, ...]]", client.execute(sql, parameters))


def shown(settings: Settings) -> dict[str, Any]:
    columns = ("stage", "tags", "segments", "roles", "tier", "events", "keys")
    rows = ask(
        settings, f"SELECT {', '.join(columns)} FROM profiles WHERE has(identifiers['user_id'], 'ada')"
    )
    return dict(zip(columns, rows[0], strict=True)) if rows else dict.fromkeys(columns, "")


def condition(settings: Settings, what: str) -> Condition:
    """What the view says of Ada, as a condition."""
    kind, name = named(definitions(settings), what)
    mine = shown(settings)
    made: dict[str, Callable[[], Condition]] = {
        "stage": lambda: c.InStage(stage=(mine["stage"],)),
        "tag": lambda: c.Tagged(tag=c.TagTest(name=name, is_=(mine["tags"][name],))),
        "segment": lambda: c.InSegment(segment=name),
        "role": lambda: c.HasRole(role=name),
        "value": lambda: c.Tier(tier=(mine["tier"],)),
    }
    return made[kind]()


def definitions(settings: Settings) -> tuple[Defined, ...]:
    history = log.read(settings)
    assert history.now is not None
    return tuple(standing(history.definitions, history.now))


def world(settings: Settings) -> oracle.World:
    reached = newest(log.read(settings), Thresholds, "customer")
    return oracle.World("UTC", "USD", thresholds=reached, definitions=definitions(settings))


@pytest.mark.parametrize(
    "what",
    [
        "stage",
        "tag/basket",
        "spend",
        "segment/big_spenders",
        "fast_repeaters",
        "role/fan",
        "consumer",
        "value",
        "value/customer",
        "lifecycle/ecommerce",
    ],
)
def test_without_the_events_that_are_named_it_would_be_otherwise(live: Settings, what: str) -> None:
    told = explain(live, "user_id:ada", what)
    with connect(live) as client:
        events = [event.body for event in events_of(client, shown(live)["keys"])]
    of, asked = world(live), condition(live, what)
    assert told.answer.holds is oracle.holds(asked, events, told.now, of)
    named = {*told.answer.events}
    left = [event for event in events if f"{event['source']}/{event['message_id']}" not in named]
    assert named
    assert len(left) == len(events) - len(named)
    if left:
        assert oracle.holds(asked, left, told.now, of) is not told.answer.holds
    turn = told.answer.changes_at
    if turn is not None:
        assert oracle.holds(asked, events, turn - 1, of) is told.answer.holds
        assert oracle.holds(asked, events, turn, of) is not told.answer.holds


def test_it_says_what_the_view_shows(live: Settings) -> None:
    mine = shown(live)
    assert explain(live, "user_id:ada", "stage").answer.value == mine["stage"] == "mature"
    for tag, value in mine["tags"].items():
        assert explain(live, "user_id:ada", f"tag/{tag}").answer.value == value
    for name in ("champions", "big_spenders", "fast_repeaters", "win_back"):
        assert explain(live, "user_id:ada", name).answer.holds is (name in mine["segments"])


def test_she_is_found_by_any_of_her_identifiers(live: Settings) -> None:
    (id_,) = {explain(live, who, "stage").customer.id for who in ("user_id:ada", "membership_card:card-1")}
    assert explain(live, id_, "stage").customer.id == id_
    with pytest.raises(NotFound, match="nobody is known as"):
        explain(live, "user_id:nobody", "stage")


def test_what_is_not_there_is_one_clear_line(live: Settings) -> None:
    with pytest.raises(ConfigError, match="nothing in force is named dancers") as refused:
        explain(live, "user_id:ada", "dancers")
    assert "segment/champions" in refused.value.hint


def test_the_command_prints_the_tree_and_json(live: Settings) -> None:
    told = cdp("explain", "user_id:ada", "big_spenders", env=environment(live))
    assert (told.returncode, told.stderr) == (0, "")
    for words in (
        "in segment big_spenders",
        "tag spend is high",
        "sum of total of Order Completed",
        "271.75",
    ):
        assert words in told.stdout
    assert "rests on shop/m1" in told.stdout
    raw = cdp("explain", "user_id:ada", "stage", "--json", env=environment(live))
    found = json.loads(raw.stdout)
    assert found["answer"]["holds"] is True
    assert found["answer"]["value"] == "mature"
    assert found["definition"] == "lifecycle/ecommerce/1"
    assert {"operator", "says", "holds", "value", "events", "changes_at", "parts"} == {*found["answer"]}
    wrong = cdp("explain", "user_id:nobody", "stage", env=environment(live))
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (1, "error: nobody is known as user_id:nobody")


def roles(settings: Settings, user: str) -> list[str]:
    sql = "SELECT roles FROM profiles WHERE has(identifiers['user_id'], %(user)s)"
    return list(ask(settings, sql, user=user)[0][0])


def parts(answer: Answer) -> Iterator[Answer]:
    yield answer
    for part in answer.parts:
        yield from parts(part)


def test_an_operators_link_counts_as_in_the_fold_until_it_is_taken_back(live: Settings) -> None:
    pair = ("user_id:other-1", "membership_card:M-17")
    assert not explain(live, pair[0], "role/member").answer.holds
    link(live, *pair, "he showed it")
    until(lambda: "member" in roles(live, "other-1"), "who has a card is a member")
    told = explain(live, pair[0], "role/member").answer
    ((linked,),) = ask(live, "SELECT concat(source, '/', message_id) FROM events WHERE type = 'link'")
    assert told.holds
    assert [(p.holds, p.value, p.events) for p in parts(told) if p.operator == "identifier"] == [
        (True, ["membership_card"], (linked,))
    ]
    assert told.events == (linked,)
    assert audit(live, log.read(live)).differing == []
    split(live, *pair, "it was his brother's")
    until(lambda: "member" not in roles(live, "other-1"), "he is none without it")
    assert not explain(live, pair[0], "role/member").answer.holds
    assert audit(live, log.read(live)).differing == []

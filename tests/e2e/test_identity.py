"""One customer across social, e-commerce and offline: united whatever arrives first, parted and united by operators."""

import shlex
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import permutations
from typing import Any, cast

import pytest

from deploy.demo.shop import is_ready
from deploy.identity import link, split
from projections.connect import connect
from projections.migrate import migrate
from schemas.errors import CdpError, ConfigError
from schemas.plain import MAX_REASON
from schemas.settings import Settings
from tests.deploy.test_cli import cdp
from tests.ingest.servers import Client
from tests.processes import Process, environment, running
from tests.waiting import until

ORDERS = list(permutations(range(4)))
"""Every order in which the four events of a customer may arrive."""


@pytest.fixture(scope="module")
def began() -> int:
    return time.time_ns() // 1_000_000 - 3_600_000


@pytest.fixture
def live(platform: Settings) -> Iterator[Settings]:
    """The platform, running."""
    migrate(platform)
    with running(*(Process(name, platform) for name in ("sink", "worker", "ingest"))):
        until(lambda: is_ready(platform), "ingest takes events")
        yield platform


def story(n: int, began: int) -> list[tuple[str, dict[str, Any]]]:
    """Browse, follow, buy, register: (source, message) in order of time; no two name all identifiers."""

    def at(minute: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began / 1000 + 60 * minute))

    def known(**ids: str) -> dict[str, Any]:
        return {"externalIds": [{"type": t.replace("__", "/"), "id": id_} for t, id_ in ids.items()]}

    wechat = {"wechat_openid__wx1": f"o{n}"}
    bought = {"order_id": f"order-{n}", "total": "12.50"}
    return [
        ("web", {"type": "page", "anonymousId": f"v{n}", "timestamp": at(1)}),
        (
            "social",
            {
                "event": "Account Followed",
                "anonymousId": f"v{n}",
                "context": known(**wechat),
                "timestamp": at(2),
            },
        ),
        (
            "pos",
            {
                "event": "Order Completed",
                "context": known(membership_card=f"c{n}", **wechat),
                "properties": bought,
                "timestamp": at(3),
            },
        ),
        (
            "web",
            {
                "event": "Signed Up",
                "userId": f"u{n}",
                "anonymousId": f"v{n}",
                "context": {"traits": {"email": f"U{n}@Example.com"}},
                "timestamp": at(4),
            },
        ),
    ]


def ask(settings: Settings, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
    with connect(settings) as client:
        return cast("list[tuple[Any, ...]]", client.execute(sql, parameters))


def post(settings: Settings, began: int) -> None:
    """Everybody's events, one request each, and one customer whose events all name the account."""
    clients = {name: Client(settings, f"local-{name}-write-key") for name in ("web", "social", "pos", "shop")}
    for n, order in enumerate(ORDERS):
        events = story(n, began)
        for place in order:
            source, message = events[place]
            answer = clients[source].post("/v1/batch", {"batch": [{"type": "track", **message}]})
            assert answer.status == 200
    for _, message in story(99, began):
        named = {
            **message,
            "type": "track",
            "event": message.get("event", "Page Viewed"),
            "userId": "control",
        }
        del named["context" if "context" in named else "anonymousId"]
        clients["shop"].post("/v1/batch", {"batch": [named | {"anonymousId": None}]})


PROFILES = (
    "SELECT identifiers['user_id'], stage, events, purchases, revenue, first_seen, last_seen, active_days, channels, "
    "mapKeys(identifiers) FROM profiles"
)


def test_whatever_arrives_first_it_is_one_customer(live: Settings, began: int) -> None:
    post(live, began)
    everybody = f"{PROFILES} WHERE events = 4 AND notEmpty(identifiers['user_id'])"
    until(lambda: len(ask(live, everybody)) == len(ORDERS) + 1, "each is one customer")
    assert ask(live, "SELECT count() FROM profiles") == [(len(ORDERS) + 1,)]

    rows = {row[0][0]: row[1:] for row in ask(live, PROFILES)}
    control = rows.pop("control")
    histories = {repr(row) for row in rows.values()}
    assert len(histories) == 1, "one history and one stage, in whatever order it arrived"
    stage, events, purchases, revenue, first, last, days, channels, namespaces = rows["u0"]
    assert (events, purchases, revenue) == (4, 1, Decimal("12.5"))
    assert (stage, purchases, revenue, first, last, days) == (
        control[0], *control[2:4], *control[4:7],
    )  # fmt: skip
    assert channels == {"web": 2, "social": 1, "offline": 1}
    assert set(namespaces) == {"user_id", "membership_card", "wechat_openid/wx1", "email", "anonymous_id"}
    whose = "SELECT uniqExact(customer_id) FROM events WHERE customer_id IS NOT NULL"
    until(lambda: ask(live, whose) == [(len(ORDERS) + 1,)], "the events of all are under the survivors")

    _an_operator_parts_and_unites(live)
    _two_accounts_are_one_and_two_again(live)
    _only_a_trusted_alias_unites_accounts(live)
    _mistakes_are_told(live)
    _the_log_is_simulated(live)


def run(settings: Settings, *words: str) -> str:
    done = cdp("identity", *words, env=environment(settings) | {"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def halves(settings: Settings) -> set[tuple[Any, ...]]:
    """The customers who have something of u0's."""
    sql = (
        "SELECT arraySort(mapKeys(identifiers)), stage, events, purchases FROM profiles "
        "WHERE has(identifiers['user_id'], 'u0') OR has(identifiers['membership_card'], 'C0')"
    )
    return {(*row[0], *row[1:]) for row in ask(settings, sql)}


WHOLE = {("anonymous_id", "email", "membership_card", "user_id", "wechat_openid/wx1", "new", 4, 1)}
PARTED = {
    ("email", "user_id", "responder", 1, 0),
    ("anonymous_id", "membership_card", "wechat_openid/wx1", "new", 3, 1),
}


def _an_operator_parts_and_unites(settings: Settings) -> None:
    assert halves(settings) == WHOLE
    said = run(settings, "split", "user_id:u0", "membership_card:c-0", "--because", "his father's card")
    undo = "cdp identity link user_id:u0 membership_card:c-0 --because TEXT"
    assert f"undo: {undo}" in said
    until(lambda: halves(settings) == PARTED, "two customers, each with its own")

    again = cdp(
        "identity", "split", "user_id:u0", "membership_card:c0", "--because", "x", env=environment(settings)
    )
    assert again.returncode == 1
    assert again.stderr.startswith("error: membership_card:c0 and customer ")
    assert "are two customers already" in again.stderr

    told = run(settings, "explain", "user_id:u0")
    for words in (
        "email:u0@example.com", "anonymous_id:v0", "membership_card:C0", "Signed Up", "web/", "Identifiers Parted",
        "because: his father's card", "said to be two", "refused: they were said to be two", "one customer",
    ):  # fmt: skip
        assert words in told, told

    said = run(settings, *shlex.split(undo.replace("TEXT", "'it is his'"))[2:])
    assert "undo: cdp identity split user_id:u0 membership_card:c-0 --because TEXT" in said
    until(lambda: halves(settings) == WHOLE, "one customer again")
    told = run(settings, "explain", "email:u0@example.com")
    assert "said to be one" in told
    assert "because: it is his" in told
    assert "refused" not in told


def _two_accounts_are_one_and_two_again(settings: Settings) -> None:
    accounts = (
        "SELECT arraySort(identifiers['user_id']), events, stage, toString(customer_id) FROM profiles "
        "WHERE hasAny(identifiers['user_id'], ['u1', 'u2']) ORDER BY identifiers"
    )
    before = ask(settings, accounts)
    assert [row[:3] for row in before] == [(["u1"], 4, "new"), (["u2"], 4, "new")]
    said = list[str]()
    done = link(settings, "user_id:u1", "user_id:u2", "she has two accounts", said.append)
    (told,) = said
    assert told.startswith("these 2 customers become one:\n")
    for words in (
        before[0][3],
        before[1][3],
        "user_id:u1",
        "email:u1@example.com",
        "user_id:u2",
        "membership_card:C2",
    ):
        assert words in told
    until(lambda: [row[:3] for row in ask(settings, accounts)] == [(["u1", "u2"], 8, "mature")], "one")
    ((*_, survivor),) = ask(settings, accounts)
    (former,) = {row[3] for row in before} - {survivor}
    told = run(settings, "explain", former)
    assert told.splitlines()[0].split() == ["customer", survivor]
    assert "merged into it" in told
    assert former in told
    again = link(settings, "user_id:u1", "user_id:u2", "to be sure", said.append)
    assert "they were already" in again.what
    assert len(said) == 1, "nobody else becomes one with them"

    verb, one, other, *_ = shlex.split(done.undo)[2:]
    assert verb == "split"
    assert "nobody until it is seen by itself" in split(settings, one, other, "she has not").what
    until(lambda: ask(settings, accounts) == before, "two, exactly as before")


def _only_a_trusted_alias_unites_accounts(settings: Settings) -> None:
    for source, user, previous in (("shop", "u3", "u4"), ("web", "u5", "u6")):
        message = {"type": "alias", "userId": user, "previousId": previous}
        Client(settings, f"local-{source}-write-key").post("/v1/batch", {"batch": [message]})
    users = "SELECT arraySort(identifiers['user_id']) FROM profiles WHERE hasAny(identifiers['user_id'], {})"
    until(lambda: ask(settings, users.format("['u3', 'u4']")) == [(["u3", "u4"],)], "one of two accounts")
    refused = "SELECT reason FROM identity_changes WHERE change = 'conflict' AND startsWith(cause, 'web/')"
    until(lambda: ("unique",) in ask(settings, refused), "the conflict is published")
    assert len(ask(settings, users.format("['u5', 'u6']"))) == 2
    assert run(settings, "explain", "user_id:u6").count("refused: each has a value") == 1


MISTAKES: list[tuple[Callable[..., object], str, str, str]] = [
    (split, "user_id:nobody", "email:u1@example.com", "nobody is known as user_id:nobody"),
    (split, "0f2d6c1f-9a3b-5c5d-8e7f-8091a2b3c4d5", "email:u1@example.com", "nobody is known as 0f2d"),
    (split, "user_id:u1", "email:u2@example.com", "email:u2@example.com is not an identifier of customer"),
    (split, "user_id:u1", "email:never@example.com", "nobody is known as email:never@example.com"),
    (split, "user_id:u1", "email:nonsense", "email:nonsense is no identifier"),
    (split, "user_id:control", "user_id:control", "it is the only identifier of this customer"),
    (link, "email:u1@example.com", "email:U1@Example.com", "are the same identifier"),
    (link, "email:u1@example.com", "shoe_size:43", "shoe_size:43 is no identifier"),
]


def _mistakes_are_told(settings: Settings) -> None:
    before = ask(settings, "SELECT count() FROM events")
    for state, one, other, error in MISTAKES:
        with pytest.raises(CdpError) as refused:
            state(settings, one, other, "x")
        assert error in refused.value.what
    for because in ("", " \n", "x" * (MAX_REASON + 1)):
        with pytest.raises(ConfigError, match="a reason is needed"):
            link(settings, "user_id:u1", "user_id:u2", because)
    assert ask(settings, "SELECT count() FROM events") == before


def _the_log_is_simulated(settings: Settings) -> None:
    told = run(settings, "simulate")
    assert f"{len(ORDERS)} customers of {4 * (len(ORDERS) + 1) + 2} events" in told  # u3 and u4 are one
    assert f"{len(ORDERS) - 1} of them with several identifiers" in told
    assert "conflicts: 1 unique" in told  # the alias of the web

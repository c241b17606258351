"""Merged, parted and refused customers, as the views show them on a real server."""

import random
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_driver import Client

from projections.batch import make
from projections.profile import show
from projections.registry import PROJECTIONS
from schemas.changes import customer_id
from schemas.definitions import load
from schemas.identity import IdentityRules, Keys
from schemas.settings import Settings
from tests.identity_oracle import Stated
from tests.processors.identities import aliased, linked, parted, stated
from tests.projections.conftest import content
from tests.projections.log import T0
from tests.projections.story import Story, store

STATE = PROJECTIONS[0]
NOBODY = "00000000-0000-0000-0000-000000000000"
ADA, MAIL = "user_id:1", "email:1"
A, M = customer_id(ADA), customer_id(MAIL)
FACTS = "toString(customer_id), events, purchases, revenue, keys, stage, former_ids, conflicts"


def bought(number: int, total: str, *keys: str) -> Stated:
    properties = {"order_id": f"o{number}", "total": total, "currency": "USD"}
    return stated("Order Completed", T0 + number, *keys, properties=properties)


def seen(number: int, *keys: str) -> Stated:
    return stated("Page Viewed", T0 + number, *keys)


def retold(settings: Settings, client: Client, story: Story, *log: Stated) -> None:
    """Go on with a story, and store what it wrote since."""
    before = len(story.written)
    story.tell(*log)
    store(client, story.written[before:])


def owners(client: Client) -> dict[str, str]:
    """Whose each key is, by the view; no key is twice in it."""
    rows = client.execute("SELECT key, toString(customer_id) FROM identities")
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def looked_up(client: Client, settings: Settings, *keys: str) -> list[str]:
    name = f"{settings.clickhouse_database}.customer_of"
    return [
        client.execute(f"SELECT toString(dictGet('{name}', 'customer_id', %(key)s))", {"key": key})[0][0]
        for key in keys
    ]


@pytest.fixture
def merged(tables: Settings, client: Client) -> Story:
    """Bought by mail, bought as a user, then linked by an event that came late."""
    story = Story()
    retold(tables, client, story, bought(1, "10.10", MAIL), bought(2, "5", ADA))
    assert client.execute("SELECT count(), sum(revenue) FROM profiles") == [(2, Decimal("15.1"))]
    assert owners(client) == {ADA: A, A: A, MAIL: M, M: M}
    retold(tables, client, story, seen(3, ADA, MAIL))
    return story


def test_a_merged_customer_is_one_in_every_view(merged: Story, tables: Settings, client: Client) -> None:
    ((id_, events, purchases, revenue, keys, _, former, conflicts),) = client.execute(
        f"SELECT {FACTS} FROM profiles"
    )
    assert (id_, events, purchases, revenue, keys) == (A, 3, 2, Decimal("15.1"), [ADA, MAIL])
    assert (list(map(str, former)), conflicts) == ([M], [])
    assert owners(client) == dict.fromkeys((ADA, A, MAIL, M), A)
    assert looked_up(client, tables, MAIL, M, ADA, A) == [A] * 4
    whose = "SELECT groupUniqArray(toString(customer_id)), count() FROM"
    assert client.execute(f"{whose} events") == [([A], 3)]
    assert client.execute(f"{whose} orders") == [([A], 2)]
    assert client.execute("SELECT sum(net) FROM orders") == [(Decimal("15.1"),)]


def test_what_was_published_keeps_its_id_and_leads_to_the_customer_of_today(
    merged: Story, client: Client
) -> None:
    for view in ("lifecycle_changes", "lifecycle_periods"):
        found = client.execute(
            f"SELECT DISTINCT toString(customer_id), toString(current_customer_id) FROM {view}"
        )
        assert sorted(found) == sorted([(M, A), (A, A)])
    ((change, into, from_, through, cause),) = client.execute(
        "SELECT change, toString(customer_id), toString(other_id), through, cause FROM identity_changes"
    )
    assert (change, into, from_, through, cause) == (
        "merged", A, M, [ADA, MAIL], f"shop/Page Viewed@{T0 + 3}",
    )  # fmt: skip


def test_a_split_gives_back_both_customers_and_another_link_makes_them_one_again(
    merged: Story, tables: Settings, client: Client
) -> None:
    retold(tables, client, merged, parted(T0 + 4, ADA, MAIL), bought(5, "1", MAIL))
    rows = client.execute(f"SELECT {FACTS} FROM profiles ORDER BY revenue")
    refused = ("split", ADA, MAIL), ("split", MAIL, ADA)
    assert [row[:5] for row in rows] == [
        (A, 2, 1, Decimal(5), [ADA]), (M, 2, 2, Decimal("11.1"), [MAIL]),
    ]  # fmt: skip
    assert [row[6:] for row in rows] == [([], [refused[0]]), ([], [refused[1]])]
    assert owners(client) == {ADA: A, A: A, MAIL: M, M: M}
    assert looked_up(client, tables, MAIL, M) == [M, M]
    verdicts = "SELECT kind, verdict FROM identity_links ORDER BY kind"
    assert client.execute(verdicts) == [("link", "split"), ("split", "parted")]
    by_key = "SELECT key, toString(any(customer_id)) FROM events GROUP BY key"
    assert dict(client.execute(by_key)) == {ADA: A, MAIL: M}
    retold(tables, client, merged, linked(T0 + 6, ADA, MAIL))
    assert client.execute("SELECT toString(customer_id), revenue FROM profiles") == [(A, Decimal("16.1"))]
    assert client.execute(verdicts) == [("alias", "joined"), ("link", "joined")]
    changes = "SELECT change, count() FROM identity_changes GROUP BY change"
    assert dict(client.execute(changes)) == {"merged": 2, "split": 1, "conflict": 1}


def test_an_identifier_that_is_nobodys_any_more_resolves_to_nobody(tables: Settings, client: Client) -> None:
    story = Story()
    retold(tables, client, story, seen(1, ADA, MAIL))
    assert looked_up(client, tables, MAIL) == [A]
    retold(tables, client, story, parted(T0 + 2, ADA, MAIL))
    assert owners(client) == {ADA: A, A: A}
    assert looked_up(client, tables, MAIL, ADA) == [NOBODY, A]


def test_a_conflict_is_on_both_profiles_and_in_the_graph(tables: Settings, client: Client) -> None:
    other = "user_id:2"
    retold(tables, client, Story(), seen(1, ADA, MAIL), seen(2, other, MAIL), bought(3, "3", other))
    rows = client.execute("SELECT keys, events, conflicts FROM profiles ORDER BY events")
    assert rows == [
        ([ADA, MAIL], 1, [("unique", MAIL, other)]),
        ([other], 2, [("unique", other, MAIL)]),
    ]
    graph = client.execute(
        "SELECT greater, lesser, kind, verdict, toString(greater_customer_id), toString(lesser_customer_id), "
        "toUnixTimestamp64Milli(stated_at), source, message_id FROM identity_links "
        "WHERE root = (SELECT root FROM identities WHERE key = %(key)s) ORDER BY stated_at",
        {"key": customer_id(other)},
    )
    assert graph == [
        (ADA, MAIL, "link", "joined", A, A, T0 + 1, "shop", f"Page Viewed@{T0 + 1}"),
        (other, MAIL, "link", "unique", customer_id(other), A, T0 + 2, "shop", f"Page Viewed@{T0 + 2}"),
    ]


def test_the_graph_of_a_set_that_was_absorbed_is_its_absorbers(tables: Settings, client: Client) -> None:
    story = Story()
    retold(tables, client, story, seen(1, MAIL, "anonymous_id:1"))
    assert client.execute("SELECT root FROM identity_links") == [(MAIL,)]
    retold(tables, client, story, seen(2, ADA, "anonymous_id:1"))
    graph = "SELECT root, lesser, verdict FROM identity_links ORDER BY stated_at"
    assert client.execute(graph) == [(ADA, "anonymous_id:1", "joined")] * 2
    assert client.execute("SELECT uniqExact(root) FROM identities") == [(1,)]


def test_links_that_do_not_count_say_why(tables: Settings, client: Client) -> None:
    story = Story({"email": 1, "phone": 1})
    log = [seen(n, f"user_id:{n}", MAIL) for n in (1, 2, 3)]
    retold(tables, client, story, *log)
    verdicts = "SELECT lesser, verdict FROM identity_links"
    assert set(client.execute(verdicts)) <= {(MAIL, "elsewhere"), (MAIL, "crowded")}
    assert client.execute("SELECT count() FROM profiles WHERE length(keys) = 1") == [(3,)]
    retold(tables, client, story, linked(T0 + 9, "phone:8", "phone:9"))
    nobody = (
        "SELECT greater, lesser, kind, verdict, lesser_customer_id FROM identity_links WHERE kind = 'alias'"
    )
    assert client.execute(nobody) == [("phone:8", "phone:9", "alias", "nobody", None)]


@pytest.mark.parametrize("seed", range(2))
def test_rows_that_come_late_twice_or_in_any_order_change_nothing(
    tables: Settings, client: Client, seed: int
) -> None:
    story = Story(partitions=4).tell(*random_log(random.Random(seed), 30), seed=seed)
    store(client, story.written)
    once = content(tables)
    assert once["identity_links"][0]
    dice = random.Random(seed)
    shuffled = [*story.written, *dice.sample(story.written, len(story.written) // 2)]
    dice.shuffle(shuffled)
    for one in shuffled:
        store(client, [one])
    assert content(tables) == once
    for table in (table for projection in PROJECTIONS for table in projection.tables):
        client.execute(f"TRUNCATE TABLE {table.name}")
    for one in shuffled:
        store(client, [one])
    assert content(tables) == once
    published = {change.customer_id for change in story.changes}
    present = {str(id_) for (id_,) in client.execute("SELECT customer_id FROM profiles")}
    assert published <= owners(client).keys()
    assert set(owners(client).values()) == present


def test_every_id_ever_published_leads_to_one_customer_of_today() -> None:
    for seed in range(40):
        story = Story(partitions=3).tell(*random_log(random.Random(seed), 20), seed=seed)
        rows = current(story)
        whose = {row["key"]: row["customer_id"] for row in rows if not row["is_deleted"]}
        assert len({row["key"] for row in rows}) == len(rows), f"seed {seed}: a key twice"
        published = {change.customer_id for change in story.changes}
        assert published <= whose.keys(), f"seed {seed}"
        members = {str(whose[id_]) for id_ in whose.keys() - published}
        assert set(map(str, whose.values())) == members, f"seed {seed}: an owner that has no identifier"


def test_an_id_leads_on_also_where_its_own_identifier_never_did_anything() -> None:
    story = Story(partitions=1).tell(bought(1, "5", MAIL)).tell(linked(T0 + 2, ADA, MAIL))
    assert {str(row["customer_id"]) for row in current(story) if not row["is_deleted"]} == {A}
    story.tell(parted(T0 + 3, ADA, MAIL))
    whose = {row["key"]: str(row["customer_id"]) for row in current(story) if not row["is_deleted"]}
    assert whose == {MAIL: M, M: M, A: M}


def test_an_event_writes_one_row_of_links_however_many_there_are() -> None:
    story = Story(partitions=1).tell(*(seen(n, ADA, f"email:{n}") for n in range(60)))
    (state,) = (r for t, r in story.written[-1:] if t == STATE.topic)
    made = make(STATE, [state])
    assert {table: len(columns[0]) for table, columns in made.columns.items()} == {
        "profiles_raw": 1, "identities_raw": 62, "identity_links_raw": 1,
    }  # fmt: skip


def test_a_profile_is_found_by_any_identifier_and_any_former_id(tables: Settings, client: Client) -> None:
    rules = load("default", "identity")
    assert isinstance(rules, IdentityRules)
    keys = Keys(rules, "x" * 32)
    user, mail = keys.key("user_id", "1")[0], keys.key("email", "a@b.c")[0]
    story = Story().tell(bought(1, "2", mail), seen(2, user)).tell(seen(3, user, mail))
    store(client, story.written)
    found = show(tables, "email:A@B.c", keys)
    assert found.columns["keys"] == [user, mail]
    for other in ("user_id:1", customer_id(user), customer_id(mail), customer_id(mail).upper()):
        assert show(tables, other, keys) == found


def current(story: Story) -> list[dict[str, Any]]:
    """The rows of identities_raw, of the newest state of each key."""
    made = make(STATE, [record for topic, record in story.written if topic == STATE.topic])
    assert not made.unreadable
    (table,) = (table for table in STATE.tables if table.name == "identities_raw")
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*made.columns[table.name], strict=True)]


def random_log(dice: random.Random, events: int) -> list[Stated]:
    """Events, aliases, links and splits on a few identifiers."""
    pool = [
        f"{name}:{n}"
        for name in ("user_id", "phone", "email", "device_id", "anonymous_id")
        for n in (1, 2, 3)
    ]
    log = []
    for n in range(events):
        keys = dice.sample(pool, dice.choice([1, 1, 2, 2, 3]))
        say = dice.choice([aliased, linked, parted, None, None, None])
        if say and len(keys) > 1:
            log.append(say(T0 + n, *keys[:2]))
        else:
            log.append(bought(n, str(n), *keys) if n % 3 == 0 else seen(n, *keys))
    return log

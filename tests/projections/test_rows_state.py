from typing import Any

import orjson

from projections.batch import make
from projections.registry import PROJECTIONS
from projections.table import Made
from schemas.changes import customer_id
from schemas.state import new_position
from tests.projections.log import T0, Rec, cluster, event, order, part_of

STATE = PROJECTIONS[0]


def rows(made: Made, table: str) -> list[dict[str, Any]]:
    names = [c.name for t in STATE.tables if t.name == table for c in t.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*made.columns.get(table, []), strict=True)]


def test_a_customer_is_the_union_of_the_parts_of_its_members() -> None:
    mine = part_of([order("user_id:a", "o1", "10"), event(traits={"plan": "gold"})])
    other = part_of([order("email:b", "o1", "10"), order("email:b", "o2", "2.5", T0 + 5)])
    made = make(STATE, [cluster({"user_id:a": mine, "email:b": other}, rev=7)])
    (row,) = rows(made, "profiles_raw")
    assert str(row["customer_id"]) == customer_id("user_id:a")
    assert (row["events"], row["purchases"], row["revenue_by_currency"]) == (4, 2, {"USD": "12.5"})
    assert (row["last_seen"], row["rev"], row["is_deleted"]) == (T0 + 5, 7, 0)
    assert orjson.loads(row["traits"]) == {"plan": "gold"}
    owners = {one["key"]: str(one["customer_id"]) for one in rows(made, "identities_raw")}
    mine_id = customer_id("user_id:a")
    assert owners == dict.fromkeys(("user_id:a", "email:b", mine_id), mine_id)


def test_a_customer_without_members_is_a_tombstone() -> None:
    part = part_of([event()])
    made = make(STATE, [cluster({"user_id:a": part}, members=[])])
    (row,) = rows(made, "profiles_raw")
    assert row["is_deleted"] == 1
    gone = {one["key"]: one["is_deleted"] for one in rows(made, "identities_raw")}
    assert gone == {"user_id:a": 1, customer_id("user_id:a"): 1}


def test_positions_and_removed_states_are_no_rows_and_of_a_link_only_that_its_set_is_no_more() -> None:
    link = {"v": 1, "kind": "link", "owner": "user_id:a", "rev": 2, "seen": {}, "seen_overflow": 0}
    log = [
        Rec(orjson.dumps(link), b"email:b"), Rec(orjson.dumps(new_position()), b"position"), Rec(None, b"x"),
    ]  # fmt: skip
    made = make(STATE, log)
    assert made.columns.keys() == {"identity_links_raw"}
    (row,) = rows(made, "identity_links_raw")
    assert (row["root"], row["links"], row["rev"], row["is_deleted"]) == ("email:b", [], 2, 1)
    assert not made.unreadable


def test_of_a_batch_only_the_newest_state_of_a_key_becomes_rows() -> None:
    part = part_of([event()])
    made = make(STATE, [cluster({"user_id:a": part}, rev=rev)._replace(offset=rev) for rev in (1, 2, 3)])
    assert [row["rev"] for row in rows(made, "profiles_raw")] == [3]


def test_a_state_that_cannot_be_read_is_told() -> None:
    good = orjson.loads(cluster({"user_id:a": part_of([event()])}).value or b"")
    strange = {**good, "published": {"no uuid": good["published"][customer_id("user_id:a")]}}
    huge = orjson.loads(orjson.dumps(good))
    huge["parts"]["user_id:a"]["books"]["totals"]["revenue"] = {"USD": "1" * 30}
    bad = [{**good, "v": 99}, {**good, "parts": {}}, {**good, "kind": "?"}, strange, huge]
    made = make(STATE, [Rec(orjson.dumps(one), str(i).encode(), offset=i) for i, one in enumerate(bad)])
    assert not made.columns
    assert sorted(one.record.offset for one in made.unreadable) == [0, 1, 2, 3, 4]

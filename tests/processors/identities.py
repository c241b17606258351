"""Identity in the tests: small rules, random logs on random graphs of identifiers, and what must come of a log."""

from typing import Any, NamedTuple
from zlib import crc32

import orjson
from hypothesis import strategies as st

from processors.messages import Change
from schemas.changes import LIFECYCLE_CHANGED, SEGMENT_CHANGED, customer_id
from schemas.facts import union
from schemas.identity import IdentityRules
from tests import identity_oracle, oracle
from tests.identity_oracle import Rules, Stated
from tests.processors.events import HOUR, Said
from tests.processors.logs import NAMES, NOW, properties, times
from tests.processors.test_facts_converge import told
from tests.processors.world import World

ORDER = (
    "user_id", "membership_card", "shop_customer", "phone", "email", "device_id", "anonymous_id",
)  # fmt: skip
POOL = (
    "user_id:1", "user_id:2", "user_id:3", "membership_card:1", "membership_card:2", "shop_customer/A:1",
    "shop_customer/A:2", "shop_customer/B:1", "phone:1", "phone:2", "email:1", "email:2", "email:3", "device_id:1",
    "device_id:2", "anonymous_id:1", "anonymous_id:2", "anonymous_id:3",
)  # fmt: skip
LIMITS: tuple[dict[str, int], ...] = (
    {},
    {"phone": 2, "device_id": 2},
    {"user_id": 1, "email": 1, "phone": 1, "anonymous_id": 1},
)
SMALL = "identity/small/1"


def rules_of(limits: dict[str, int]) -> IdentityRules:
    """User ids and a shop's ids are unique, devices are shared."""
    namespaces = [
        {
            "name": name, "scoped": name == "shop_customer", "unique": name in ("user_id", "shop_customer"),
            "shared": name == "device_id", "limit": limits.get(name, 100),
        }
        for name in ORDER
    ]  # fmt: skip
    return IdentityRules.model_validate(
        {"kind": "identity", "name": "small", "version": 1, "namespaces": namespaces}
    )


def as_oracle(rules: IdentityRules) -> Rules:
    """The same in the oracle's words."""
    return {
        n.name: {"rank": rank, "unique": n.unique, "shared": n.shared, "limit": n.limit}
        for rank, n in enumerate(rules.namespaces)
    }


def stated(
    name: str, when: int, *keys: str, id_: str = "", says: str = "", by: str = "shop", **fields: Any
) -> Stated:
    """One event on these identifiers; `says`: alias (a trusted source), link or split (an operator)."""
    keys = tuple(
        sorted(dict.fromkeys(keys), key=lambda key: (ORDER.index(identity_oracle.namespace(key)), key))
    )
    body = {
        "v": 1, "type": says or "track", "name": name, "message_id": id_ or f"{name}@{when}", "source": by,
        "channel": "web", "occurred_at": when, "received_at": when, "identifiers": {}, "properties": {}, "traits": {},
        "context": {}, **fields,
    }  # fmt: skip
    if says and len(keys) > 1:
        body["says"] = ["split" if says == "split" else "alias", *keys[:2]]
    return Stated(list(keys), body)


def aliased(when: int, *keys: str, **fields: Any) -> Stated:
    return stated("Aliased", when, *keys, says="alias", **fields)


def linked(when: int, *keys: str, **fields: Any) -> Stated:
    return stated("Identifiers Linked", when, *keys, says="link", by="operator", **fields)


def parted(when: int, *keys: str, **fields: Any) -> Stated:
    return stated("Identifiers Parted", when, *keys, says="split", by="operator", **fields)


@st.composite
def identified(draw: st.DrawFn, pool: tuple[str, ...] = POOL) -> Stated:
    """One event on some identifiers. Equal ids never have another content: the id is the content's."""
    when, received = draw(times), NOW + draw(st.integers(0, 20)) * HOUR
    says = draw(st.sampled_from(["", "", "", "", "", "", "", "alias", "link", "split"]))
    if says:
        keys = draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2, unique=True))
        make = {"alias": aliased, "link": linked, "split": parted}[says]
        return make(when, *keys, id_=str(crc32(repr((says, keys, when)).encode())), received_at=received)
    keys = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))
    name = draw(st.sampled_from(NAMES))
    fields: dict[str, Any] = {
        "properties": draw(properties(name)),
        "traits": draw(st.dictionaries(st.sampled_from(["city", "vip"]), st.integers(0, 3), max_size=2)),
        "channel": draw(st.sampled_from(["web", "offline"])),
    }
    by = draw(st.sampled_from(["shop", "till"]))
    id_ = str(crc32(orjson.dumps([name, when, by, *sorted(keys), fields])))
    return stated(name, when, *keys, id_=id_, by=by, received_at=received, **fields)


def said(one: Stated) -> Said:
    """The record of an event."""
    return Said(one.keys[0], orjson.dumps(one.body), " ".join(one.keys))


class Known(NamedTuple):
    """One customer."""

    members: frozenset[str]
    facts: dict[str, Any]
    stage: str


def found(states: dict[str, Any]) -> dict[str, Known]:
    """Every customer of these states by its id; no identifier is in two."""
    known: dict[str, Known] = {}
    for state in states.values():
        if state["kind"] == "cluster":
            for id_, published in state["published"].items():
                mine = published["members"]
                if mine:
                    assert id_ not in known
                    facts = told(dict(union([state["parts"][m] for m in mine if m in state["parts"]])))
                    known[id_] = Known(frozenset(mine), facts, published["stage"])
    members = [member for one in known.values() for member in one.members]
    assert len(members) == len(set(members))
    return known


def expected(
    log: list[Stated], rules: Rules, lifecycle: str, now: int, zone: str = "UTC"
) -> tuple[dict[str, Known], set[str]]:
    """Every customer that must come of a log, and the statements that must be refused."""
    customers, refused = identity_oracle.customers(log, rules)
    known = {}
    for members, events in customers:
        head = min(members, key=lambda key: identity_oracle.place(key, rules))
        facts = oracle.facts(events, zone)
        known[customer_id(head)] = Known(members, facts, oracle.stage(lifecycle, facts, now, zone))
    return known, {" ".join(pair) for pair in refused}


def refused(states: dict[str, Any]) -> set[str]:
    """The statements that are refused."""
    return {pair for state in states.values() for pair, (why, _) in state.get("refused", {}).items() if why}


def assert_consistent(changes: list[Change], states: dict[str, Any]) -> None:
    """What was published leads to what is: no id twice, and nobody is merged or parted who is not there to be."""
    assert len({change.id for change in changes}) == len(changes), "a change was published twice"
    into, stage, sequence = dict[str, str | None](), dict[str, str](), dict[str, int]()
    for change in changes:
        body = change.body
        if change.type == SEGMENT_CHANGED:
            assert into[change.customer_id] is None or body["change"] == "left"
        elif change.type == LIFECYCLE_CHANGED:
            assert body["from"] == stage.get(change.customer_id)
            assert body["sequence"] == sequence.get(change.customer_id, 0) + 1
            stage[change.customer_id], sequence[change.customer_id] = body["to"], body["sequence"]
            assert into.setdefault(change.customer_id, None) is None, "a customer that is no more has a stage"
        elif body["change"] == "merged":
            assert body["other_id"] in into, "merged before it was known"
            into[body["other_id"]] = body["customer_id"]
        elif body["change"] == "split":
            assert into.get(body["other_id"], "") is not None, "parted, and was never one"
            into[body["other_id"]] = None
    known = found(states)
    assert {id_ for id_, other in into.items() if other is None} == known.keys()
    assert {id_: stage[id_] for id_ in known} == {id_: one.stage for id_, one in known.items()}
    for state in states.values():
        for id_, published in state.get("published", {}).items():
            assert published.get("into") == into[id_], "views would lead elsewhere than what was published"
            last = id_
            while (other := into[last]) is not None:
                last = other
            held = known[last].members
            assert published["head"] in held or not any(
                published["head"] in k.members for k in known.values()
            )


def assert_equal(world: World, log: list[Stated], rules: Rules, lifecycle: str, now: int) -> None:
    """Customers, facts, stages and conflicts are those of the whole log, after a tick at `now` in all partitions."""
    assert not world.rejected, world.rejected[0][1]
    states = world.states()
    known, conflicts = expected(log, rules, lifecycle, now)
    assert found(states) == known
    assert refused(states) == conflicts
    assert_consistent(world.changes, states)
    through = {" ".join(c.body["through"]) for c in world.changes if c.body.get("change") == "conflict"}
    assert conflicts <= through, "a refusal that nobody was told of"

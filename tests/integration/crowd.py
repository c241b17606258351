"""A seeded crowd of customers: what they did, and what the oracle says must have come of it."""

import random
from collections import defaultdict
from typing import Any

import orjson

from schemas.settings import Settings
from schemas.topics import LIFECYCLE_CHANGES
from tests import oracle
from tests.integration.log import changes
from tests.processors.events import DAY, Said, at, cancel, clock, customer, event, order, tick

START, DAYS = at("2024-01-01"), 500


def history(seed: int, people: int, count: int) -> list[Said]:
    """Events of a crowd in order of time under a held clock, with a tick every ten days."""
    rng = random.Random(seed)
    said, last = [clock(running=False)], START
    for number in range(count):
        when = START + number * DAYS * DAY // count
        while when - last >= 10 * DAY:
            last += 10 * DAY
            said.append(tick(last, "importer"))
        said.append(_one(rng, f"u{rng.randrange(people)}", number, when))
        if rng.random() < 0.05:
            said.append(said[-1])  # delivered twice
    return [*said, tick(START + DAYS * DAY, "importer")]


def _one(rng: random.Random, who: str, number: int, when: int) -> Said:
    kind = rng.random()
    if kind < 0.2:
        return order(str(number), when, f"{rng.randrange(1, 9_999)}.5", who=who)
    if kind < 0.25:
        return cancel(str(rng.randrange(number + 1)), when, who=who)
    name = rng.choice(["Page Viewed", "Signed Up", "Message Sent", "Song Played"])
    return event(name, when, who=who, id_=f"e{number}", properties={"number": number})


def assert_equal_to_oracle(settings: Settings, said: list[Said], states: dict[str, dict[str, Any]]) -> None:
    """Every customer's facts, stage and published changes are what the whole log makes of them."""
    bodies = defaultdict(list)
    for one in said:
        if one.keys:
            bodies[one.key].append(orjson.loads(one.value))
    assert {key for key in states if ":" in key} == set(bodies)
    published = changes(settings, LIFECYCLE_CHANGES)
    ids = [change["id"] for told in published.values() for change in told]
    assert len(ids) == len(set(ids)), "a change was published twice"
    for key, mine in bodies.items():
        known, part = oracle.facts(mine), states[key]["parts"][key]
        assert part["events"] == known["events"], key
        assert part["books"]["totals"]["purchases"] == known["purchases"], key
        assert {n: counted[0] for n, counted in part["names"].items()} == known["names"], key
        told = published[customer(key.removeprefix("user_id:"))]
        assert [change["from"] for change in told] == [None, *(change["to"] for change in told[:-1])]
        assert [change["sequence"] for change in told] == list(range(1, len(told) + 1))
        assert told[-1]["to"] == oracle.stage("ecommerce", known, START + DAYS * DAY), key

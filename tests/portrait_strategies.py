"""Random conditions, definitions and histories, from small pools, so that outcomes vary.

The same generators are drawn by hypothesis (`conditions`, `histories`, `worlds`: small, and it shrinks what fails) and
by a `random.Random` (`Dice`: crowds of customers at once).
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.conditions import OPERATORS, Condition
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Thresholds, Value
from tests.oracle import local_date, midnight
from tests.portrait_oracle import Defined, World

T = TypeVar("T")
Json = dict[str, Any]
CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
DAY = 86_400_000
NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z: two days after the clocks of New York went forward
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
GENERIC = ("Page Viewed", "Product Viewed", "测验 Quiz", "it's \\ 100%")
BOOKED = ("Order Completed", "Order Cancelled", "Order Refunded", "Contract Signed", "Contract Renewed")
NAMES = (*GENERIC, *BOOKED, "Visit", "Message Sent", "Message Opened", "Value Loaded")
PATHS = ("sku", "n", "products", "products.category", "products.n", "a.b.c", 'it\'s "q" \\ %s', "currency")
TRAITS = ("region", "score", "birthday", "consent", "a.b")
NAMESPACES = ("user_id", "email", "wechat_openid/APP1", "wechat_openid/APP2")
CHANNELS = ("web", "mobile", "email")
SCALARS: tuple[Any, ...] = (
    "red", "blue", "Ünï ✓ 颜色", "a'b\"c\\d", "new\nline\u0000\u007f/", "", " 5", "5", "05", "2.50", "-0", "1e3",
    "true", "null", "x" * 200, "x" * 201, "😀" * 200, "😀" * 201, "9" * 18, "9" * 19, "1." + "1" * 9, "1." + "1" * 10,
    "1\n", "+5", 0, 1, 2, 5, -1, 10**17, 10**18, 2**63, 2**64 - 1, -(2**63), 5.0, 2.5, -0.0, 0.1 + 0.2, 1e-5,
    1.5e-6, 1.5e-7, 1.23e-7, 1.234e-7, 1e-9, 1.1e-9, 1e-10, 1e15, 1e16, 1.5e17, 123456789012345678.0, 1e18, 1e21, 1e300,
    12345678.123456789, True, False, None,
)  # fmt: skip
COMMON: tuple[Any, ...] = ("red", "blue", "green", "5", 1, 2, 5, 5.0, 2.5, True, None)
CURRENCIES: tuple[Any, ...] = ("USD", "EUR", "JPY", "usd", "", None, 5, "points", ["EUR"])
BIRTHDAYS: tuple[Any, ...] = (
    "1990-03-10", "1990-03-11", "2000-02-29", "1899-12-31", "0001-01-01", "2026-03-10", "2030-01-01", "1990-02-30",
    "1990-12-31T00:00:00Z", "19901231", "1990-13-01", "1900-02-29", "0000-01-01", 1990, "", None, ["1990-03-10"],
)  # fmt: skip


class Chooser(Protocol):
    """What draws."""

    def pick(self, options: Sequence[T]) -> T: ...
    def number(self, low: int, high: int) -> int: ...


class Dice:
    """Draws many, quickly."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


class Drawn:
    """Draws by hypothesis."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def pick(self, options: Sequence[T]) -> T:
        place: int = self.draw(st.integers(0, len(options) - 1))
        return options[place]

    def number(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))


class Known(NamedTuple):
    """Definitions that a condition may refer to."""

    segments: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    value: bool = False
    lifecycle: bool = False


def condition(d: Chooser, known: Known = Known(), depth: int = 2) -> Json:  # noqa: B008
    """One condition as its JSON."""
    return operator(d, d.pick([name for name in OPERATORS if _possible(name, known, depth)]), known, depth)


def operator(d: Chooser, name: str, known: Known = Known(), depth: int = 2) -> Json:  # noqa: B008
    """A condition of this operator."""
    if name in ("all", "any"):
        return {name: [condition(d, known, depth - 1) for _ in range(d.number(1, 3))]}
    if name == "not":
        return {name: condition(d, known, depth - 1)}
    references: dict[str, Callable[[], Any]] = {
        "segment": lambda: d.pick(known.segments),
        "role": lambda: d.pick(known.roles),
        "tag": lambda: {"name": d.pick(known.tags), **({"is": [d.pick("abc")]} if d.number(0, 1) else {})},
        "tier": lambda: [d.pick(("gold", "silver", "bronze"))],
        "score": lambda: {
            "of": d.pick(("relationship", "frequency", "monetary")),
            **_bounds(d, (1, 2, 3, 4, 5)),
        },
        "stage": lambda: [*{d.pick(("prospect", "responder", "new", "mature", "silent", "churned")): 1}],
    }
    return {name: references[name]() if name in references else _LEAVES[name](d)}


def model(d: Chooser, depth: int = 2) -> tuple[Defined, ...]:
    """Definitions that refer to each other: a value, a lifecycle, roles, tags and segments."""
    tiers = [{"tier": "gold", "points": 9}, {"tier": "silver", "points": 6}, {"tier": "bronze", "points": 0}]
    frequency = {**_events(d), **_within(d)}
    found: list[Any] = [Value(kind="value", name="value", version=1, frequency=frequency, tiers=tiers)]
    known = Known(value=True)
    stages = ("churned", "silent", "mature", "new", "responder")
    rules = [
        *({"stage": stage, "when": condition(d, known, depth)} for stage in stages),
        {"stage": "prospect"},
    ]
    found.append(
        Lifecycle.model_validate({"kind": "lifecycle", "name": "mine", "version": 1, "stages": rules})
    )
    known = known._replace(lifecycle=True)
    for number in range(2):
        name = f"r{number}"
        found.append(Role(kind="role", name=name, version=1, when=condition(d, known, depth)))
        known = known._replace(roles=(*known.roles, name))
        name = f"t{number}"
        values = [{"value": value, "when": condition(d, known, depth)} for value in "abc"]
        found.append(TagRules(kind="tag", name=name, version=1, values=values))
        known = known._replace(tags=(*known.tags, name))
        name = f"s{number}"
        found.append(Segment(kind="segment", name=name, version=1, when=condition(d, known, depth)))
        known = known._replace(segments=(*known.segments, name))
    return tuple(found)


ALL_KNOWN = Known(("s0", "s1"), ("r0", "r1"), ("t0", "t1"), True, True)
"""What `model` defines."""


def world(d: Chooser, depth: int = 2) -> World:
    """A time zone, rates, thresholds and definitions in force."""
    thresholds = Thresholds(
        kind="thresholds", name=d.pick(("value",) * 7 + ("other",)), version=1,
        relationship=(1, 5, 20, 100), frequency=(1, 2, 4, 8),
        monetary=(Decimal("0.01"), Decimal(10), Decimal("20.5"), Decimal(50)), customers=5, computed_at=0,
    )  # fmt: skip
    rates = d.pick(({"EUR": Decimal("1.1"), "JPY": Decimal("0.006")}, {"EUR": Decimal("1.1")}, {}))
    return World(
        d.pick(ZONES), "USD", rates, d.pick((thresholds, thresholds, thresholds, None)), model(d, depth)
    )


def history(d: Chooser, who: str = "ada", most: int = 14, zone: str = "UTC") -> list[Json]:
    """The canonical events of one customer, as they are read from the log, in order of arrival."""
    namespaces = [namespace for namespace in NAMESPACES if d.number(0, 2) == 0] or ["user_id"]
    events = [_event(d, f"{who}-{n}", who, namespaces, zone) for n in range(d.number(1, most))]
    found: list[Json] = orjson.loads(orjson.dumps(events))
    return found


def instant(d: Chooser, zone: str = "UTC") -> int:
    """A time up to some weeks before NOON, seldom long before; often the very bounds of a local day."""
    back = d.pick((0, 0, 1, 1, 2, 3, 6, 7, 8, 13, 14, 29, 30, 31, 60, 370, 5_000, 21_000))
    day = local_date(NOON, zone) - timedelta(days=back)
    start = midnight(day, zone)
    at = d.pick((start, start - 1, start + 1, start + d.number(0, DAY), start + 3_600_000 * d.number(0, 23)))
    return min(at, NOON)


@st.composite
def conditions(draw: Any, known: Known = ALL_KNOWN, depth: int = 2) -> Condition:
    return CONDITION.validate_python(condition(Drawn(draw), known, depth))


@st.composite
def histories(draw: Any, most: int = 8, zone: str = "UTC") -> list[Json]:
    return history(Drawn(draw), most=most, zone=zone)


@st.composite
def worlds(draw: Any, depth: int = 1) -> World:
    return world(Drawn(draw), depth)


def _possible(name: str, known: Known, depth: int) -> bool:
    needs = {
        "all": depth, "any": depth, "not": depth, "segment": known.segments, "role": known.roles, "tag": known.tags,
        "tier": known.value, "score": known.value, "stage": known.lifecycle,
    }  # fmt: skip
    return bool(needs.get(name, True))


def _names(d: Chooser, most: int = 3) -> list[str]:
    return sorted({d.pick(NAMES) for _ in range(d.number(1, most))})


def _events(d: Chooser) -> Json:
    where = [{"property": d.pick(PATHS), **_test(d)} for _ in range(d.pick((0, 0, 0, 1, 1, 2)))]
    return {"event": _names(d, 5), **({"where": where} if where else {})}


def _test(d: Chooser) -> Json:
    kind = d.pick(("is", "is_not", "one_of", "bounds", "exists"))
    if kind == "bounds":
        return _bounds(d, ("0", "1", "2.5", "5", "100", "0.000000001"))
    if kind == "exists":
        return {kind: d.pick((True, False))}
    return {kind: [_operand(d) for _ in range(d.number(1, 3))] if kind == "one_of" else _operand(d)}


_NUMBERS = ("-1", "0", "2.5", "5.5", "10")
_OPERANDS = (
    "red", "blue", "5", "1", "2.5", "true", "false", "Ünï ✓ 颜色", "a'b\"c\\d", "x" * 200, "😀" * 200, "0", " 5", "05",
    "10000000000000000", "0.00001", "0.0000015", "0.00000015", "0.000000123", "0.000000001", "EUR", "usd",
    "100000000000000000", "1000000000000000", "123456789012345680", "12345678.123456789",
)  # fmt: skip


def _operand(d: Chooser) -> str:
    return d.pick(_OPERANDS[:6] if d.number(0, 2) else _OPERANDS)


def _bounds(d: Chooser, pool: Sequence[Any]) -> Json:
    least, most = sorted((d.pick(pool), d.pick(pool)), key=Decimal)
    return d.pick(({"at_least": least}, {"at_most": most}, {"at_least": least, "at_most": most}))


def _window(d: Chooser) -> Json:
    if d.number(0, 2):
        return {"last_days": d.pick((1, 2, 7, 8, 14, 30, 31, 400))}
    start = date(2026, 3, 10) - timedelta(days=d.pick((0, 1, 2, 7, 30, 60)))
    return {"from": start.isoformat(), "to": (start + timedelta(days=d.pick((0, 1, 7, 30)))).isoformat()}


def _within(d: Chooser) -> Json:
    return {"within": _window(d)} if d.number(0, 1) else {}


def _did(d: Chooser) -> Any:
    if d.number(0, 3) == 0:
        return _names(d)
    number = d.pick(({}, {"exactly": d.number(0, 3)}, _bounds(d, (0, 1, 2, 3))))
    return {**_events(d), **number, **_within(d)}


def _any_window(d: Chooser) -> Json:
    return {"more_than_days_ago": d.pick((1, 2, 7, 30))} if d.number(0, 2) == 0 else _window(d)


def _interest(d: Chooser) -> Json:
    bounds: Json = d.pick(({"top": d.number(1, 3)}, {"at_least": d.number(1, 2)}, {"top": 2, "at_least": 1}))
    values = sorted({d.pick(("red", "blue", "green", "5", "true")) for _ in range(d.number(1, 2))})
    half = d.pick(({}, {"half_life_days": 1}, {"half_life_days": 7}))
    return {"event": _names(d, 5), "property": d.pick(PATHS[:5]), "is": values, **bounds, **half}


def _sequence(d: Chooser) -> Json:
    within = d.pick(({"days": d.pick((1, 2, 7, 30, 400))}, {"hours": d.pick((1, 24, 48))}, {"minutes": 1}))
    without = {"without": _events(d)} if d.number(0, 1) else {}
    return {"steps": [_events(d) for _ in range(d.number(2, 3))], "within": within, **without}


_LEAVES: dict[str, Callable[[Chooser], Any]] = {
    "did": _did,
    "count": lambda d: {
        "of": d.pick(("purchases", "contracts", "renewals", _names(d))), "at_least": d.pick((1, 1, 2, 3)),
    },
    "since": lambda d: {
        "last": d.pick(("own", "contract_end", _names(d))), "days": d.pick((1, 2, 7, 8, 30, 365)),
    },
    "first": lambda d: {**_events(d), "within": _any_window(d)},
    "last": lambda d: {**_events(d), "within": _any_window(d)},
    "sum": lambda d: {**_events(d), "property": d.pick(PATHS), **_within(d), **_bounds(d, _NUMBERS)},
    "max": lambda d: {**_events(d), "property": d.pick(PATHS), **_within(d), **_bounds(d, _NUMBERS)},
    "distinct": lambda d: {**_events(d), "property": d.pick(PATHS), **_within(d), **_bounds(d, (0, 1, 2, 3))},
    "latest": lambda d: {**_events(d), "property": d.pick(PATHS), **_test(d)},
    "interest": _interest,
    "sequence": _sequence,
    "trait": lambda d: {"name": d.pick(TRAITS), **_test(d)},
    "age": lambda d: {**({"trait": "region"} if d.number(0, 9) == 0 else {}), **_bounds(d, (0, 18, 26, 35, 36, 100))},
    "identifier": lambda d: sorted({d.pick((*NAMESPACES, "wechat_openid", "phone")) for _ in range(d.number(1, 2))}),
    "channel": lambda d: {"of": sorted({d.pick(CHANNELS) for _ in range(d.number(1, 2))}), "at_least": d.number(1, 3)},
    "revenue": lambda d: _bounds(d, ("0", "0.01", "10", "20.5", "50")),
}  # fmt: skip


def _event(d: Chooser, message_id: str, who: str, namespaces: Sequence[str], zone: str) -> Json:
    name, at = d.pick(NAMES), instant(d, zone)
    return {
        "v": 1, "type": "track", "name": name, "message_id": message_id, "source": d.pick(("shop", "app")),
        "channel": d.pick(CHANNELS), "occurred_at": at, "received_at": max(at, NOON - DAY),
        "identifiers": {namespace: [who] for namespace in namespaces if d.number(0, 1)} or {namespaces[0]: [who]},
        "properties": {**_properties(d), **(_stated(d, name) if name not in GENERIC else {})},
        "traits": {d.pick(TRAITS): d.pick(COMMON)} if d.number(0, 3) == 0 else _birthday(d), "context": {},
    }  # fmt: skip


def _birthday(d: Chooser) -> Json:
    return {"birthday": d.pick(BIRTHDAYS)} if d.number(0, 3) == 0 else {}


def _properties(d: Chooser) -> Json:
    found: Json = {}
    for _ in range(d.number(0, 3)):
        found[d.pick(("sku", "n", 'it\'s "q" \\ %s', "unused"))] = _any_value(d)
    if d.number(0, 2) == 0:
        lines = [{"category": _any_value(d), "n": _any_value(d)} for _ in range(d.number(0, 3))]
        found["products"] = d.pick((lines, lines, [*lines, None, 3, lines], lines[0] if lines else {}))
    if d.number(0, 4) == 0:
        found["a"] = d.pick(
            ({"b": {"c": _any_value(d)}}, {"b": [{"c": 1}, {"c": [2, [3]]}]}, [{"b": {"c": "red"}}], 5)
        )
    if d.number(0, 2) == 0:
        found["currency"] = d.pick(CURRENCIES)
    return found


def _any_value(d: Chooser) -> Any:
    kind = d.number(0, 9)
    if kind < 6:
        return d.pick(COMMON)
    if kind < 8:
        return d.pick(SCALARS)
    if kind == 8:
        return [d.pick(COMMON) for _ in range(d.number(0, 4))]
    return d.pick(
        (
            [],
            {},
            {"x": 1},
            [[1, "red"], {"x": "red"}, None],
            [d.pick(SCALARS), d.pick(SCALARS)],
            list(range(105)),
        )
    )


def _stated(d: Chooser, name: str) -> Json:
    """What a registered event states, valid as in every log."""
    if name.startswith("Order"):
        total = d.pick(({"total": "10"}, {"total": "0"}, {"total": "20.5"}, {"revenue": "3"}, {}))
        money = (
            {"currency": d.pick(("USD", "USD", "EUR", "JPY"))}
            if total and d.number(0, 3)
            else {"currency": ""}
        )
        return {"order_id": d.pick(("o1", "o2", "o3")), **total, **money}
    if name.startswith("Contract"):
        return {
            "contract_id": d.pick(("c1", "c2")),
            "ends_at": d.pick(("2026-03-01", "2026-03-10", "9999-12-31", "2027-01-01")),
        }
    return (
        {"amount": "5", "currency": d.pick(("USD", "EUR"))} if name == "Value Loaded" else {"currency": None}
    )

"""What a desk's plan is asked, and what becomes of its answer."""

from dataclasses import replace
from typing import Any

from ingest.canonical import Desk
from ingest.shapes import Fields
from schemas.rejected import Reason
from tests.ingest.desks import ANY, event, refusal

ORDER = {
    "type": "track", "event": "Order Completed", "userId": "u1", "messageId": "m1",
    "properties": {"order_id": "o1", "total": 12.5}, "context": {"protocols": {"event_version": "2"}},
}  # fmt: skip


class Asked:
    """A plan that answers the same to everything, and remembers what it was asked."""

    def __init__(self, *rules: str, reject: bool = False) -> None:
        self.answer = rules, reject
        self.asked: list[tuple[str, Any, Fields, Fields, dict[str, list[str]]]] = []

    def check(
        self,
        name: str,
        version: Any,
        properties: Fields,
        traits: Fields,
        identifiers: dict[str, list[str]],
        /,
    ) -> tuple[tuple[str, ...], bool]:
        self.asked.append((name, version, properties, traits, identifiers))
        return self.answer


def at(plan: Asked) -> Desk:
    return replace(ANY, plan=plan)


def test_what_breaks_no_rule_is_as_without_a_plan() -> None:
    assert event(ORDER, at(Asked())) == event(ORDER)


def test_what_is_marked_names_its_rules() -> None:
    marked = event(ORDER, at(Asked("Order Completed@2 /properties/total type")))
    assert marked.violations == ["Order Completed@2 /properties/total type"]


def test_what_is_rejected_says_every_rule() -> None:
    rejection = refusal(ORDER, at(Asked("one", "two", reject=True)))
    assert (rejection.reason, rejection.detail) == (Reason.PLAN, "one; two")


def test_the_plan_sees_an_order_as_the_log_has_it() -> None:
    plan = Asked()
    kept = event(ORDER, at(plan))
    assert plan.asked == [
        (
            "Order Completed",
            "2",
            {"order_id": "o1", "total": "12.5", "currency": "EUR"},
            {},
            {"user_id": ["u1"]},
        )
    ]
    assert kept.properties == plan.asked[0][2]


def test_the_plan_sees_long_numbers_as_the_log_has_them() -> None:
    plan, body = (
        Asked(),
        b'{"type":"track","event":"Visit","userId":"u1","properties":{"x":12345678901234567.25}}',
    )
    kept = event(body, at(plan))
    assert plan.asked[0][2] == {"x": 12345678901234568.0} == kept.properties
    assert type(plan.asked[0][2]["x"]) is float


def test_what_the_log_cannot_have_is_refused_before_the_plan_is_asked() -> None:
    plan, body = (
        Asked("rule", reject=True),
        b'{"type":"track","event":"Visit","userId":"u1","properties":{"x":"\\ud800"}}',
    )
    assert refusal(body, at(plan)).reason is Reason.INVALID
    assert not plan.asked


def test_a_version_that_is_not_where_it_belongs_is_none() -> None:
    plan = Asked()
    stated: tuple[Any, ...] = ("2", ["event_version"], None, {})
    for protocols in stated:
        event({**ORDER, "context": {"protocols": protocols}}, at(plan))
    assert [asked[1] for asked in plan.asked] == [None] * 4

"""What operators state: which pair, as which event, and how an explanation reads."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from rich.console import Console

from deploy.explain import page
from deploy.identity import _named, parted, standing
from deploy.known import Customer, Identifier, readable
from deploy.statement import after, append
from deploy.uniting import named, united
from schemas.definitions import PRESETS, read_yaml, validate
from schemas.errors import ConfigError, Unavailable
from schemas.event import Event
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.topics import partition_of
from tests.deploy.test_clock import log_of

ADA, BOB, MAIL, CARD = "user_id:ada", "user_id:bob", "email:1", "membership_card:1"


def stated(
    greater: str, lesser: str, kind: str = "link", verdict: str = "joined", **more: Any
) -> dict[str, Any]:
    return {
        "greater": greater, "lesser": lesser, "kind": kind, "verdict": verdict, "source": "shop", "message_id": "m1",
        "stated_at": datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), "name": "Signed Up", "because": "",
        "greater_customer_id": "c1", "lesser_customer_id": "c1", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "by", "pair"),
    [
        (MAIL, "", (ADA, MAIL)),
        (MAIL, ADA, (ADA, MAIL)),
        (MAIL, CARD, (ADA, MAIL)),
        (ADA, "", (ADA, CARD)),
        (ADA, ADA, (ADA, CARD)),
        (CARD, MAIL, (ADA, CARD)),
    ],
)
def test_a_split_is_between_the_customer_s_greatest_and_the_identifier(
    key: str, by: str, pair: tuple[str, str]
) -> None:
    assert parted([ADA, CARD, MAIL], by, key, [stated(ADA, MAIL), stated(CARD, MAIL)]) == pair


def test_who_is_named_by_what_was_said_to_be_one_with_it_has_that_taken_back() -> None:
    said = [stated(ADA, BOB, "alias"), stated(CARD, MAIL, "alias"), stated(ADA, MAIL)]
    assert parted([ADA, BOB, CARD, MAIL], CARD, MAIL, said) == (CARD, MAIL)
    assert parted([ADA, BOB, CARD, MAIL], MAIL, CARD, said) == (CARD, MAIL)
    assert parted([ADA, BOB, CARD, MAIL], "", MAIL, said) == (ADA, MAIL)


def test_who_has_one_identifier_cannot_be_parted() -> None:
    with pytest.raises(ConfigError, match="the only identifier"):
        parted([ADA], ADA, ADA, [])


def test_a_statement_is_an_event_of_the_pair_in_the_greater_s_partition(
    deployment: Settings,
) -> None:
    for kind, says, name in (
        ("split", "split", "Identifiers Parted"),
        ("link", "alias", "Identifiers Linked"),
    ):
        append(deployment, kind, (ADA, MAIL), "a household")  # type: ignore[arg-type]
        record = log_of(deployment)[-1]
        event = Event.model_validate_json(record.value)
        assert (event.type, event.name, event.says) == (kind, name, (says, ADA, MAIL))
        assert (event.source, event.identifiers, event.properties) == (
            "operator", {}, {"because": "a household"},
        )  # fmt: skip
        assert (record.key, record.headers) == (ADA.encode(), [("keys", f"{ADA} {MAIL}".encode())])
        assert record.partition == partition_of(ADA, deployment.partitions)
        assert record.timestamp == event.received_at == event.occurred_at
    ids = {orjson.loads(record.value)["message_id"] for record in log_of(deployment)}
    assert len(ids) == 2


def test_what_kafka_does_not_acknowledge_is_told(deployment: Settings) -> None:
    away = deployment.model_copy(update={"namespace": "nobodys"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.clock.PATIENCE", 1.0)  # of the client, for a topic that is not there
        with pytest.raises(Unavailable, match="did not acknowledge") as refused:
            append(away, "split", (ADA, MAIL), "x")
    assert "explain" in refused.value.hint


def test_the_latest_word_counts_even_where_a_sender_s_clock_is_ahead(deployment: Settings) -> None:
    ahead = datetime.now(UTC).replace(microsecond=411_000) + timedelta(minutes=5)
    said = [
        stated(ADA, MAIL, "alias", stated_at=ahead),
        stated(ADA, CARD, "alias", stated_at=ahead + timedelta(1)),
    ]
    assert after([stated(ADA, MAIL)], (ADA, MAIL)) == 0
    append(deployment, "split", (ADA, MAIL), "two people", after(said, (ADA, MAIL)))
    event = Event.model_validate_json(log_of(deployment)[-1].value)
    assert event.occurred_at == round(ahead.timestamp() * 1000) + 1
    assert event.received_at < event.occurred_at


def test_what_else_keeps_two_customers_apart_is_found() -> None:
    ends = Identifier("a", ADA, "c1", ADA), Identifier("m", MAIL, "c2", ADA)
    apart = {"kind": "split", "verdict": "parted", "greater_customer_id": "c1", "lesser_customer_id": "c2"}
    others = [
        stated(ADA, MAIL, **apart), stated(ADA, BOB, **{**apart, "lesser_customer_id": "c3"}), stated(ADA, CARD),
    ]  # fmt: skip
    assert standing(others, *ends) == []
    assert standing([*others, stated(ADA, CARD, **apart)], *ends) == [(ADA, CARD)]


RULES = validate(IdentityRules, read_yaml(PRESETS / "identity.yaml"), "preset")
EVE, PHONE = "user_id:eve", "phone:1"
NOW = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp() * 1000)


def test_whoever_has_one_of_the_two_becomes_one_with_the_other() -> None:
    whose = {ADA: "a", CARD: "a", BOB: "b", MAIL: "b"}
    said = [stated(ADA, CARD), stated(BOB, MAIL)]
    assert united(RULES, whose, said, (ADA, MAIL), NOW) == ["a", "b"], "the mail is Bob's"
    assert united(RULES, whose, said, (ADA, CARD), NOW) == ["a"]
    assert united(RULES, whose, said, (ADA, "email:new"), NOW) == ["a"]


def test_who_was_parted_only_by_that_comes_along_and_who_was_by_more_does_not() -> None:
    whose = {ADA: "a", BOB: "b", CARD: "b", MAIL: "b"}
    apart = stated(ADA, BOB, "split", "parted")
    said = [stated(ADA, MAIL, verdict="split"), stated(BOB, CARD), stated(BOB, MAIL), apart]
    assert united(RULES, whose, said, (ADA, BOB), NOW) == ["a", "b"]
    assert united(RULES, whose, said, (ADA, CARD), NOW) == [], "that they are two stands"


def test_a_third_who_hangs_on_a_shared_word_comes_along() -> None:
    whose, early = {ADA: "a", BOB: "b", EVE: "e", MAIL: "e"}, datetime(2026, 1, 1, tzinfo=UTC)
    said = [
        stated(ADA, BOB, "alias", verdict="split", stated_at=early),
        stated(BOB, EVE, "alias", verdict="split", stated_at=early, message_id="m2"),
        stated(ADA, EVE, "split", "parted"), stated(EVE, MAIL),
    ]  # fmt: skip
    assert united(RULES, whose, said, (ADA, EVE), NOW) == ["a", "b", "e"]


def test_what_is_known_in_clear_is_not_told_as_a_digest() -> None:
    clear = {MAIL: "email:ada@b.co"}
    assert readable(Identifier(MAIL, MAIL, "c1", ADA), clear).given == "email:ada@b.co"
    assert readable(Identifier("email:ADA@b.co", MAIL, "c1", ADA), clear).given == "email:ADA@b.co"
    assert readable(Identifier(CARD, CARD, "c1", ADA), clear).given == CARD


def test_a_customer_is_named_as_people_name_them() -> None:
    of = Customer("c1", "new", [ADA, CARD, MAIL], {MAIL: "email:ada@b.co", ADA: "user_id:\x1b"}, [], ADA)
    assert named(of) == "customer c1: email:ada@b.co and 2 more"
    assert named(of._replace(names={})) == f"customer c1: {ADA}, {CARD}, {MAIL}"
    many = {f"email:{n}": f"email:{n}@b.co" for n in range(7)}
    assert named(of._replace(keys=list(many), names=many)).endswith("email:4@b.co and 2 more")


def shown(*statements: dict[str, Any], names: dict[str, str] | None = None, width: int = 160) -> str:
    of = Customer("c1", "new", [ADA, MAIL], names or {}, ["c0"], ADA)
    other = Customer("c2", "new", [BOB], {BOB: "user_id:Robert"}, [], ADA)
    console = Console(file=io.StringIO(), width=width)
    console.print(page(of, statements, [other]), highlight=False)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_an_explanation_names_clear_values_the_event_and_the_outcome() -> None:
    told = shown(
        stated(ADA, MAIL),
        stated(BOB, MAIL, verdict="unique", greater_customer_id="c2"),
        stated(ADA, CARD, "split", "parted", because="his father's", name="Identifiers Parted", source="operator"),
        stated(ADA, "anonymous_id:9", verdict="elsewhere", name="", lesser_customer_id=None),
        names={MAIL: "email:ada@b.co"},
    )  # fmt: skip
    for words in (
        "c1", "c0", "email:ada@b.co", "user_id:Robert", "2026-09-21 14:13:20", "Signed Up", "shop/m1", "one customer",
        "the other is c2", "each has a value", "because: his father's", "said to be two", "(event not here yet)",
    ):  # fmt: skip
        assert words in told
    assert "None" not in told


def test_what_others_wrote_is_shown_and_not_obeyed() -> None:
    told = shown(stated(ADA, MAIL, because="[red]no[/red] \x1b[2J"), names={MAIL: "email:[bold]"})
    assert "[red]no[/red] \\x1b[2J" in told
    assert "email:[bold]" in told


def test_commands_to_type_hold_no_characters_of_control() -> None:
    of = Customer("c1", "new", [ADA, MAIL], {ADA: "user_id:\x1b[2J", CARD: "membership_card:1 2"}, [], ADA)
    meant = Identifier("email:a@b.co", MAIL, "c1", ADA)
    assert [_named(key, of, meant) for key in (ADA, MAIL, CARD)] == [
        ADA,
        "email:a@b.co",
        "membership_card:1 2",
    ]


def test_who_is_linked_with_nobody_is_told_so() -> None:
    assert "Nothing links it" in shown()

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.desks import KEYS, desk_of, event, record_keys, refusal, take

TRACK = {"type": "track", "event": "Visit"}
UUID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


def ids(message: dict[str, Any], *namespaces: str, region: str | None = None) -> dict[str, list[str]]:
    return event(TRACK | message, desk_of(*namespaces, region=region)).identifiers


def external(kind: str, value: object) -> dict[str, Any]:
    return {"context": {"externalIds": [{"id": value, "type": kind}]}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"userId": "42"}, {"user_id": ["42"]}),
        ({"userId": 42}, {"user_id": ["42"]}),
        ({"userId": 42.0}, {"user_id": ["42"]}),
        ({"userId": None, "anonymousId": "a1"}, {"anonymous_id": ["a1"]}),
        ({"userId": "guest", "anonymousId": "a1"}, {"anonymous_id": ["a1"]}),
        ({"userId": "x" * 513, "anonymousId": "a1"}, {"anonymous_id": ["a1"]}),
        (
            {"anonymousId": "a1", "context": {"traits": {"email": "A@B.Co"}}},
            {"email": ["a@b.co"], "anonymous_id": ["a1"]},
        ),
        ({"anonymousId": "a1", "context": {"traits": {"email": "nobody"}}}, {"anonymous_id": ["a1"]}),
        ({"traits": {"phone": "+8613800138000"}}, {"phone": ["+8613800138000"]}),
        ({"userId": "1", "context": {"device": {"id": "d1"}}}, {"user_id": ["1"], "device_id": ["d1"]}),
        ({"userId": "1", "context": {"device": {"id": 77}}}, {"user_id": ["1"], "device_id": ["77"]}),
        ({"userId": "1", "traits": {"phone": True}, "context": {"device": {"id": []}}}, {"user_id": ["1"]}),
        (external("membership_card", "12 34-ab"), {"membership_card": ["1234AB"]}),
        (external("wechat_openid/wx1", "o6"), {"wechat_openid/wx1": ["o6"]}),
        ({"userId": "1"} | external("email", "null"), {"user_id": ["1"]}),
    ],
)
def test_what_an_event_says_of_who_it_was(message: dict[str, Any], expected: dict[str, list[str]]) -> None:
    assert ids(message) == expected


def test_phone_numbers_are_of_the_source_s_region() -> None:
    message = {"userId": "1", "traits": {"phone": "0151 23456789"}}
    assert ids(message, region="DE")["phone"] == ["+4915123456789"]
    assert ids({"traits": {"phone": 15123456789}}, region="DE")["phone"] == ["+4915123456789"]
    assert "phone" not in ids(message)


def test_an_alias_links_a_visitor_or_an_older_account() -> None:
    def alias(previous: object, **more: object) -> dict[str, list[str]]:
        return event({"type": "alias", "userId": "new", "previousId": previous} | more).identifiers

    assert sorted(alias("old")["user_id"]) == ["new", "old"]
    assert alias(UUID) == {"user_id": ["new"], "anonymous_id": [UUID]}
    assert alias("v-7", anonymousId="v-7") == {"user_id": ["new"], "anonymous_id": ["v-7"]}


def test_a_source_identifies_only_by_namespaces_that_it_may_assert() -> None:
    found = event(TRACK | {"anonymousId": "a1", "traits": {"email": "a@b.co"}}, desk_of("anonymous_id"))
    assert (found.identifiers, found.traits) == ({"anonymous_id": ["a1"]}, {"email": "a@b.co"})
    for message in ({"userId": "1"}, external("email", "a@b.co")):
        rejection = refusal(TRACK | {"anonymousId": "a1"} | message, desk_of("anonymous_id"))
        assert rejection.reason == "namespace_not_allowed"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({}, "no_identifier"),
        ({"userId": None, "anonymousId": None}, "no_identifier"),
        ({"userId": "", "anonymousId": "undefined"}, "no_identifier"),
        ({"userId": "0000"}, "no_identifier"),
        ({"userId": {"id": 1}}, "invalid"),
        ({"userId": True}, "invalid"),
        ({"anonymousId": ["a"]}, "invalid"),
        (external("shoe_size", "43"), "namespace_not_allowed"),
        (external("wechat_openid", "o6"), "invalid"),
        (external("email/shop", "a@b.co"), "invalid"),
        ({"context": {"externalIds": "42"}}, "invalid"),
        ({"context": {"externalIds": [42]}}, "invalid"),
        ({"context": {"externalIds": [{"id": "x", "type": "user_id"}] * 51}}, "invalid"),
    ],
)
def test_who_cannot_be_told_is_refused(message: dict[str, Any], reason: str) -> None:
    assert refusal(TRACK | message).reason == reason


def test_an_id_that_is_too_long_is_told_as_that() -> None:
    rejection = refusal(TRACK | {"userId": "x" * 513})
    assert rejection.reason == "no_identifier"
    assert rejection.detail == "userId is too long: an identifier may have 512 characters"


def test_keys_are_pseudonymous_and_the_greatest_comes_first() -> None:
    found = record_keys(TRACK | {"userId": "42", "anonymousId": "a1", "traits": {"email": "a@b.co"}})
    assert [key.partition(":")[0] for key in found] == ["user_id", "email", "anonymous_id"]
    assert found == [
        KEYS.key(*pair)[0] for pair in (("user_id", "42"), ("email", "a@b.co"), ("anonymous_id", "a1"))
    ]
    assert not any(value in " ".join(found) for value in ("a@b.co", ":42", ":a1"))


def test_ids_that_identify_nobody_survive_beside() -> None:
    assert event(TRACK | {"userId": "guest", "anonymousId": "a1"}).context["original"] == {"userId": "guest"}


# --- what a trusted source states


def says(message: dict[str, Any], *namespaces: str, trusted: bool = True) -> Any:
    return event({"type": "alias"} | message, desk_of(*namespaces, trusted=trusted)).says


def key(namespace: str, value: str) -> str:
    return KEYS.key(namespace, value)[0]


@pytest.mark.parametrize(
    ("message", "pair"),
    [
        ({"userId": "new", "previousId": "old"}, [("user_id", "new"), ("user_id", "old")]),
        ({"userId": "old", "previousId": "new"}, [("user_id", "new"), ("user_id", "old")]),
        ({"userId": 7, "previousId": 8}, [("user_id", "7"), ("user_id", "8")]),
    ],
)
def test_an_alias_of_a_trusted_source_states_that_two_are_one(
    message: dict[str, Any], pair: list[tuple[str, str]]
) -> None:
    assert says(message) == ("alias", *sorted((key(*end) for end in pair), key=KEYS.order))
    assert says(message, trusted=False) is None


@pytest.mark.parametrize(
    "message",
    [
        {"userId": "same", "previousId": " same "},
        {"userId": "guest", "previousId": "old"},
        {"userId": "new", "previousId": "null"},
        {"userId": " " + "x" * 512, "previousId": "old"},
        {"type": "track", "event": "Visit", "userId": "new", "previousId": "old"},
        {"type": "identify", "userId": "new", "previousId": "old"},
        {"userId": "new", "previousId": UUID},
        {"userId": "new", "previousId": "v-7", "anonymousId": "v-7"},
    ],
)
def test_what_is_no_alias_of_two_states_nothing(message: dict[str, Any]) -> None:
    assert says(message) is None


def test_a_trusted_source_states_nothing_of_namespaces_that_it_may_not_assert() -> None:
    alias = {"type": "alias", "userId": "new", "previousId": "old"}
    assert refusal(alias, desk_of("email", trusted=True)).reason == "namespace_not_allowed"
    assert says(alias, "user_id") is not None
    assert (
        refusal(alias | {"previousId": UUID}, desk_of("user_id", trusted=True)).reason
        == "namespace_not_allowed"
    )


def test_only_an_alias_s_record_has_the_field() -> None:
    """Consumers of other events see no change."""
    ((_, track),) = take(
        b'{"batch":[{"type":"track","event":"Visit","userId":"u"}]}', at=desk_of(trusted=True)
    ).events
    assert b"says" not in track


# --- what identifies, and what is only kept


@given(
    st.lists(
        st.tuples(st.sampled_from(["user_id", "email", "membership_card"]), st.integers(1, 40)), max_size=12
    )
)
def test_values_stand_in_the_order_of_their_keys(stated: list[tuple[str, int]]) -> None:
    """The fold pairs the two: it keeps each clear value with its key."""
    entries = [{"type": n, "id": f"{v}@b.co" if n == "email" else str(v)} for n, v in stated]
    message = TRACK | {"anonymousId": "a1", "context": {"externalIds": entries}}
    by_namespace: dict[str, list[str]] = {}
    for one in record_keys(message):
        by_namespace.setdefault(one.partition(":")[0], []).append(one)
    found = event(message).identifiers
    assert {n: [key(n, value) for value in values] for n, values in found.items()} == by_namespace


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "abc"), ("phone", "12"), ("phone", "0151 23456789"), ("phone", "+10000000000"),
        ("phone", "+49 (0) ---"), ("email", "nobody"), ("email", "a@b"), ("email", "a b@c.de"), ("email", "null"),
        ("email", "@"), ("email", "a@b.co, c@d.co"),
    ],
)  # fmt: skip
def test_what_does_not_normalise_is_a_trait_and_identifies_nobody(field: str, value: str) -> None:
    message = {"type": "identify", "userId": "u1", "traits": {field: value, "plan": "gold"}}
    found = event(message)
    assert (found.identifiers, found.traits) == ({"user_id": ["u1"]}, {field: value, "plan": "gold"})
    assert record_keys(message) == [key("user_id", "u1")]


@pytest.mark.parametrize(
    "value", ["null", "NULL", " undefined ", "0", "000-000", "[object Object]", "-1", "---"]
)
def test_a_null_user_id_is_kept_and_identifies_nobody(value: str) -> None:
    found = event(TRACK | {"userId": value, "anonymousId": "a1"})
    assert (found.identifiers, found.context["original"]["userId"]) == ({"anonymous_id": ["a1"]}, value)
    alone = refusal(TRACK | {"userId": value})
    assert (alone.reason, value in alone.original.decode()) == ("no_identifier", True)

"""SendGrid's event webhook: what is genuine, and what becomes of it."""

import copy
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accept import Accepted, accept
from ingest.adapters.adapter import Hook, NotGenuine, Taken, wrong
from ingest.adapters.registry import ADAPTERS
from ingest.adapters.sendgrid import TOLERANCE, take
from ingest.canonical import Arrival
from ingest.refusal import Refusal
from schemas.errors import ConfigError
from schemas.event import Event
from schemas.rejected import Reason
from schemas.semantics import NOT_OWN
from tests.ingest.adapters.anything import json, somewhere
from tests.ingest.desks import ANY, NOW

DOCUMENTED = orjson.loads((Path(__file__).parent / "payloads/sendgrid/documented.json").read_bytes())
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
SECONDS = str(NOW // 1000).encode()
OPENED = DOCUMENTED[3]
VECTOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1"
    "flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
VECTOR_SIGNATURE = (
    b"MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
)
VECTOR_SECONDS = b"1600112502"
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def public(key: ec.EllipticCurvePrivateKey) -> str:
    """As SendGrid shows its verification key."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(
    body: bytes, key: ec.EllipticCurvePrivateKey = KEY, seconds: bytes = SECONDS
) -> dict[bytes, bytes]:
    """The headers of a body, by the documented rule: ECDSA of the timestamp and the body."""
    return {
        b"x-twilio-email-event-webhook-signature": b64encode(key.sign(seconds + body, ec.ECDSA(SHA256()))),
        b"x-twilio-email-event-webhook-timestamp": seconds,
    }


def post(
    body: bytes, headers: dict[bytes, bytes] | None = None, key: str = public(KEY), now: int = NOW
) -> Taken:
    hook = Hook("POST", {}, signed(body) if headers is None else headers, body, now)
    return take(hook, {}, {"public_key": key})


def accepted(*sent: Any) -> Accepted:
    return accept(post(orjson.dumps(sent)).messages, ANY, Arrival(NOW, "request"))


def event(**changed: Any) -> Event:
    """The event that the documented opening becomes, with some of its fields changed."""
    ((_, value),) = accepted(OPENED | changed).events
    return Event.model_validate_json(value)


def test_the_signed_request_of_sendgrids_own_libraries() -> None:
    headers = {
        b"x-twilio-email-event-webhook-signature": VECTOR_SIGNATURE,
        b"x-twilio-email-event-webhook-timestamp": VECTOR_SECONDS,
    }
    now = 1_600_112_503_000
    messages, reply = post(VECTOR_BODY, headers, VECTOR_KEY, now)
    assert [m["messageId"] for m in messages] == [
        "sendgrid-dropped-ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA"
    ]
    assert (reply.status, reply.body) == (200, b"")
    for body, key in ((VECTOR_BODY.strip(), VECTOR_KEY), (VECTOR_BODY, public(KEY))):
        with pytest.raises(NotGenuine):
            post(body, headers, key, now)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"[ ]"),
        signed(b"[]", OTHER),
        signed(b"[]") | {b"x-twilio-email-event-webhook-timestamp": b"1789999999"},
        signed(b"[]") | {b"x-twilio-email-event-webhook-signature": b""},
        signed(b"[]") | {b"x-twilio-email-event-webhook-signature": b"\xff=!"},
        signed(b"[]") | {b"x-twilio-email-event-webhook-signature": b64encode(b"no DER")},
        *(signed(b"[]", seconds=s) for s in (b"", b"-1", b"1e9", b"9" * 30, "²".encode())),
    ],
)
def test_what_is_signed_otherwise_is_not_genuine(headers: dict[bytes, bytes]) -> None:
    assert post(b"[]").messages == []
    with pytest.raises(NotGenuine):
        post(b"[]", headers)


def test_sendgrid_tries_for_a_day_and_what_is_older_is_not_genuine() -> None:
    for late in (-TOLERANCE, -86_400, 86_400, TOLERANCE):
        post(b"[]", now=NOW + late * 1000)
    for late in (-TOLERANCE - 1, TOLERANCE + 1):
        with pytest.raises(NotGenuine):
            post(b"[]", now=NOW + late * 1000)


@pytest.mark.parametrize(
    "key",
    ["", "x", "AAAA", "é", public(KEY)[:-8], b64encode(b"-").decode(), "MCowBQYDK2VwAyEA" + "A" * 43 + "="],
)
def test_a_key_that_is_none_is_told_to_the_operator(key: str) -> None:
    with pytest.raises(ConfigError, match="public_key"):
        post(b"[]", key=key)
    assert wrong(ADAPTERS["sendgrid"], "public_key", key)


def test_a_key_that_is_one_may_be_configured() -> None:
    assert wrong(ADAPTERS["sendgrid"], "public_key", public(KEY), VECTOR_KEY) is None


def test_every_documented_event() -> None:
    result = accepted(*DOCUMENTED)
    assert not result.refused
    events = [Event.model_validate_json(value) for _, value in result.events]
    assert [e.name for e in events] == [
        "Message Sent", "Message Deferred", "Message Delivered", "Message Opened", "Message Clicked", "Message Bounced",
        "Message Dropped", "Message Marked as Spam", "Unsubscribed", "Unsubscribed", "Resubscribed",
    ]  # fmt: skip
    assert {e.name for e in events} & NOT_OWN == {
        "Message Sent", "Message Deferred", "Message Delivered", "Message Bounced", "Message Dropped",
    }  # fmt: skip
    assert len({e.message_id for e in events}) == len(events), "although their sg_event_id is one"
    for sent, made in zip(DOCUMENTED, events, strict=True):
        assert made.identifiers == {"email": ["example@test.com"]}
        assert made.occurred_at == 1_513_299_569_000
        assert made.properties["campaign_id"] == "cat facts"
        assert made.properties["message_id"] == "sg_message_id"
        assert made.context["original"] == sent
    bounced = events[5].properties
    assert (bounced["bounce_type"], bounced["status"], bounced["bounce_classification"]) == (
        "bounce",
        "5.0.0",
        "invalid",
    )
    assert events[9].properties["group_id"] == 10


def test_what_is_sent_again_is_known_again() -> None:
    first, again = (post(orjson.dumps(DOCUMENTED)).messages for _ in range(2))
    assert [m["messageId"] for m in first] == [m["messageId"] for m in again]
    for without in ({"sg_event_id": None}, {"sg_event_id": "x" * 200}, {"sg_event_id": 7}):
        assert event(**without).message_id == event(**without).message_id
        assert event(**without).message_id != event(**without, event="click").message_id


def test_a_click_is_of_the_customers_device_and_an_opening_of_whichever_proxy() -> None:
    proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    opened, clicked = event(useragent=proxy), event(event="click", url="https://shop.example/")
    assert not opened.bot
    assert opened.properties["user_agent"] == proxy
    assert "userAgent" not in opened.context
    assert "ip" not in opened.context | opened.properties
    assert clicked.context["userAgent"].startswith("Mozilla/4.0")
    assert clicked.context["ip"] == "255.255.255.255"
    assert "sending_ip" not in clicked.properties
    assert event(event="delivered", ip="168.1.1.1").properties["sending_ip"] == "168.1.1.1"


def test_an_opening_by_a_machine_is_marked() -> None:
    assert event(sg_machine_open=True).properties["machine_open"] is True
    assert event().properties["machine_open"] is False


@pytest.mark.parametrize(
    ("said", "campaign"),
    [
        ({"campaign_id": "spring", "singlesend_id": "s"}, "spring"),
        ({"campaign_id": 7}, "7"),
        ({"unique_args": {"campaign_id": "spring"}}, "spring"),
        ({"singlesend_id": "08c2b6e8", "marketing_campaign_id": 1}, "08c2b6e8"),
        ({"marketing_campaign_id": 12345}, "12345"),
        ({"category": ["first", "second"]}, "first"),
        ({"category": []}, None),
        ({"category": None}, None),
        ({"category": [{}]}, None),
    ],
)
def test_the_campaign(said: dict[str, Any], campaign: str | None) -> None:
    assert event(**said).properties.get("campaign_id") == campaign


def test_arguments_of_the_sender_are_properties() -> None:
    made = event(order="A-1", unique_args={"shop": "north", "order": "ignored"})
    assert (made.properties["order"], made.properties["shop"]) == ("A-1", "north")


def test_an_unknown_kind_is_a_generic_event() -> None:
    assert event(event="blocked").name == "SendGrid blocked"
    assert len(event(event="x" * 500).name) == 200


def test_what_is_none_is_refused_without_harm_to_the_others() -> None:
    account = {
        "event": "account_status_change",
        "sg_event_id": "1",
        "timestamp": 1513299569,
        "type": "compliance_suspend",
    }
    result = accepted(7, None, {}, OPENED | {"event": None}, OPENED | {"timestamp": "soon"}, account, OPENED)
    assert len(result.events) == 1
    assert [r.rejection.reason for r in result.refused] == [Reason.INVALID] * 5 + [Reason.NO_IDENTIFIER]


@pytest.mark.parametrize("body", [b"", b"{", b"7", b"{}", b'"x"', b"null", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        post(body)


def test_a_long_event_is_taken_and_one_over_the_limit_is_refused() -> None:
    at = replace(ANY, most=256 * 1024)
    for size, events, refused in ((200_000, 1, []), (300_000, 0, [Reason.TOO_LARGE])):
        messages = post(orjson.dumps([OPENED | {"argument": "x" * size}])).messages
        result = accept(messages, at, Arrival(NOW, "request"))
        assert (len(result.events), [r.rejection.reason for r in result.refused]) == (events, refused)


@settings(max_examples=150, deadline=None)
@given(st.data(), json)
def test_any_json_anywhere_is_accepted_or_refused(data: st.DataObject, value: Any) -> None:
    sent = somewhere(data, copy.deepcopy(DOCUMENTED), value)
    if isinstance(sent, list):
        result = accepted(*sent)
        assert len(result.events) + len(result.refused) == len(sent)
    else:
        with pytest.raises(Refusal):
            post(orjson.dumps(sent))


def test_it_is_registered() -> None:
    assert ADAPTERS["sendgrid"].take is take

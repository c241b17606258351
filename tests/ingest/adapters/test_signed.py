"""Segment's messages under a signature: what is genuine, and what becomes of it."""

import re
from typing import Any

import orjson
import pytest

from ingest.adapters.adapter import Hook, NotGenuine, Taken
from ingest.adapters.signed import take
from ingest.refusal import Refusal
from tests.ingest.hooks import SECRET, signature

NOW = 1_790_000_000_000
LIKED = {"event": "Post Liked", "userId": "u1", "properties": {"post": 7}}


def hook(body: bytes, header: str | None = None, method: str = "POST", now: int = NOW) -> Hook:
    told = signature(body, at=NOW // 1000) if header is None else header
    return Hook(method, {}, {b"x-cdp-signature": told.encode()}, body, now)


def taken(sent: Any) -> Taken:
    return take(hook(orjson.dumps(sent)), {"signing_secret": SECRET}, {})


def test_a_signature_as_openssl_makes_it() -> None:
    """printf '1790000000.{}' | openssl dgst -sha256 -hmac a-secret-of-the-signer"""
    wanted = "t=1790000000,v1=fa4cc79ef71b1a4c759622e631fd61dd834127077ea32a51dac0e232adca4d96"
    assert signature(b"{}", at=1_790_000_000) == wanted
    assert len(take(hook(b"{}", wanted), {"signing_secret": SECRET}, {}).messages) == 1


def test_a_message_is_kept_as_it_was_sent_and_known_again() -> None:
    (message,), reply = taken(LIKED)
    assert message["context"]["original"] == LIKED
    assert (message["type"], message["event"], message["userId"]) == ("track", "Post Liked", "u1")
    assert re.fullmatch(r"[0-9a-f]{32}-0", message["messageId"])
    assert taken(LIKED).messages == [message]
    assert taken(LIKED | {"properties": {"post": 8}}).messages[0]["messageId"] != message["messageId"]
    assert (reply.status, reply.body, reply.content_type) == (200, b'{"success":true}', "application/json")


def test_one_list_or_batch() -> None:
    own = {"type": "identify", "userId": "u2", "messageId": "m2", "context": {"library": {"name": "x"}}}
    for sent in ([LIKED, own, LIKED], {"batch": [LIKED, own, LIKED]}):
        first, second, third = taken(sent).messages
        assert (second["type"], second["messageId"]) == ("identify", "m2")
        assert second["context"] == {"library": {"name": "x"}, "original": own}
        assert first["messageId"] != third["messageId"]


def test_what_is_no_message_is_left_for_the_batch_to_refuse() -> None:
    found: list[Any] = taken([7, None, LIKED | {"context": "x"}]).messages
    assert found[:2] == [7, None]
    assert found[2]["context"] == "x"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"7", b'"x"', b"null", b'{"batch": 7}', b'{"batch": [], "context": {}}', b"[" * 100_000],
)
def test_what_is_none_of_these_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        take(hook(body), {"signing_secret": SECRET}, {})


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1790000000",
        "v1=00",
        "t=1790000000,v1=",
        "t=1790000000,v1=é",
        "t=,v1=00",
        "t=1790000000,v0=" + signature(b"{}", at=NOW // 1000)[18:],
        signature(b"{}", at=NOW // 1000).replace("t=1790000000", "t=1790000001"),
        signature(b"{ }", at=NOW // 1000),
        signature(b"{}", "another secret", NOW // 1000),
        "t=99999999999999999999,v1=00",
        "t=-1,v1=00",
        "t=²,v1=00",
        ",,,=,=,",
    ],
)
def test_what_is_signed_otherwise_is_not_genuine(header: str) -> None:
    with pytest.raises(NotGenuine):
        take(hook(b"{}", header), {"signing_secret": SECRET}, {})


@pytest.mark.parametrize(
    ("seconds", "genuine"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_what_was_overheard_is_soon_worth_nothing(seconds: int, genuine: bool) -> None:
    late = hook(b"{}", now=NOW + seconds * 1000)
    if genuine:
        assert take(late, {"signing_secret": SECRET}, {}).messages
    else:
        with pytest.raises(NotGenuine):
            take(late, {"signing_secret": SECRET}, {})


def test_a_sender_that_changes_its_secret_may_sign_by_both() -> None:
    old, new = signature(b"{}", "old", NOW // 1000), signature(b"{}", at=NOW // 1000)
    assert take(hook(b"{}", old + "," + new.split(",")[1]), {"signing_secret": SECRET}, {}).messages


def test_only_a_post_brings_messages() -> None:
    with pytest.raises(Refusal):
        take(hook(b"{}", method="GET"), {"signing_secret": SECRET}, {})

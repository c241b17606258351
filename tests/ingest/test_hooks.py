"""`/hooks/SOURCE` of a running ingest: who is genuine is taken in, once and whole; whoever is not leaves nothing."""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.init import init
from deploy.sources.change import add, change
from schemas.event import Event
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED
from tests.conftest import settings_for
from tests.ingest.hooks import SECRET, post, signature, sized
from tests.ingest.servers import Client, read, serving
from tests.processes import Process
from tests.protocol.raw import assert_told
from tests.servers import Broker
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"
FANS = {"name": "fans", "channel": "social", "adapter": "signed", "trusted": True}
WHY = "a test"


def followed(name: str, **more: Any) -> dict[str, Any]:
    return {"event": "Account Followed", "userId": "u1", "messageId": name} | more


def secret(settings: Settings, *values: str, source: str = "fans") -> None:
    """Give a source its secret, by file."""
    assert settings.secrets is not None
    path = settings.secrets / source / "signing_secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(values) + "\n")


def founded(home: Path, kafka: str) -> Settings:
    settings = settings_for(home, kafka=kafka, secrets=home / "secrets")
    init(settings)
    add(settings, FANS, WHY)
    secret(settings, SECRET)
    return settings


class Running:
    """A running ingest, and what its log has."""

    def __init__(self, settings: Settings, process: Process, client: Client) -> None:
        self.settings, self.process, self.client = settings, process, client

    def events(self, prefix: str) -> list[Event]:
        """Those whose messageId begins so, the hook's own."""
        found = [Event.model_validate_json(record.value) for record in read(self.settings, EVENTS)]
        return [event for event in found if event.message_id.startswith(prefix)]

    def rejected(self) -> list[Any]:
        return read(self.settings, REJECTED)


@pytest.fixture(scope="module")
def running(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = founded(tmp_path_factory.mktemp("hooks"), kafka)
    process = Process("ingest", settings)
    with serving(process, settings) as client:
        yield Running(settings, process, client)


def test_what_is_genuine_is_in_the_log_with_what_was_sent(running: Running) -> None:
    sent = followed("genuine", timestamp="2026-09-21T14:13:20Z", properties={"account": "@us"}, mood="fine")
    answer = post(running.client, sent)
    assert (answer.status, answer.body) == (200, {"success": True})
    (event,) = running.events("genuine")
    assert (event.source, event.channel, event.name) == ("fans", "social", "Account Followed")
    assert event.identifiers == {"user_id": ["u1"]}
    assert event.properties == {"account": "@us"}
    assert event.context["original"] == sent
    assert event.original_timestamp == sent["timestamp"]


@pytest.mark.parametrize("path", ["/hooks/fans", "/hooks/fans/"])
def test_gzip_is_taken(running: Running, path: str) -> None:
    body = orjson.dumps([followed(f"gzip {path} {n}") for n in range(3)])
    signed = signature(body)
    answer = running.client.post(path, gzip.compress(body), X_Cdp_Signature=signed, Content_Encoding="gzip")
    assert answer.status == 200
    assert len(running.events(f"gzip {path} ")) == 3


def test_what_is_sent_again_is_the_same_again(running: Running) -> None:
    for _ in range(3):
        assert post(running.client, {"event": "Again", "userId": "u1"}).status == 200
    ids = [event.message_id for event in running.events("") if event.name == "Again"]
    assert (len(ids), len(set(ids))) == (3, 1)


def test_who_is_not_genuine_leaves_nothing(running: Running) -> None:
    body = orjson.dumps(followed("forged"))
    before = len(running.rejected())
    for headers in (
        {},
        {"X_Cdp_Signature": signature(body, "another secret")},
        {"X_Cdp_Signature": signature(b"another body")},
        {"X_Cdp_Signature": signature(body, at=1_700_000_000)},
    ):
        answer = running.client.post("/hooks/fans", body, **headers)
        assert (answer.status, answer.body["code"]) == (401, "unauthorized")
        assert_told(answer)
    for unread in (b"not gzip", gzip.compress(b"x" * 3_000_000)):
        headers = {"X_Cdp_Signature": signature(unread), "Content_Encoding": "gzip"}
        assert running.client.post("/hooks/fans", unread, **headers).status == 400
    huge = b"[" + b" " * 2_100_000 + b"]"
    assert post(running.client, huge).status == 400
    assert not running.events("forged")
    assert len(running.rejected()) == before


def test_one_bad_event_harms_no_other_and_its_sender_hears_success(running: Running) -> None:
    before = len(running.rejected())
    bad = [7, {"event": "Nobody", "messageId": "bad 1"}, followed("bad 2", timestamp="soon")]
    answer = post(running.client, {"batch": [followed("good 1"), *bad, followed("good 2")]})
    assert (answer.status, answer.body) == (200, {"success": True})
    assert len(running.events("good ")) == 2
    told = [(r.key, r.headers["reason"], r.headers["message_id"]) for r in running.rejected()[before:]]
    assert [reason for _, reason, _ in told] == ["invalid", "no_identifier", "invalid"]
    assert {key for key, _, _ in told} == {"fans"}
    assert [name for _, _, name in told][1:] == ["bad 1", "bad 2"]


@pytest.mark.parametrize("body", [b"{broken", b'{"batch": 7}', b"[" + b"{}," * 2_500 + b"{}]"])
def test_a_genuine_body_that_makes_no_sense_is_400_and_kept(running: Running, body: bytes) -> None:
    before = len(running.rejected())
    answer = post(running.client, body)
    assert answer.status == 400
    assert_told(answer)
    (record,) = running.rejected()[before:]
    assert (record.key, record.value) == ("fans", body)


def test_an_event_may_have_256_kib_as_it_was_sent(running: Running) -> None:
    before = len(running.rejected())
    assert post(running.client, sized("large 200", 200 * 1024)).status == 200
    assert post(running.client, sized("large 256", 256 * 1024)).status == 200
    assert post(running.client, sized("large 300", 300 * 1024)).status == 200
    batch = b"[" + b",".join(sized(f"many {n}", 200 * 1024) for n in range(10)) + b"]"
    assert post(running.client, batch).status == 200
    assert post(running.client, sized("large 1900", 1_900 * 1024)).status == 200
    assert {event.message_id for event in running.events("large")} == {"large 200", "large 256"}
    (event,) = running.events("large 200")
    assert len(event.context["original"]["properties"]["x"]) > 200_000
    assert len(running.events("many")) == 10
    reasons = [(r.headers["reason"], r.headers["message_id"]) for r in running.rejected()[before:]]
    assert reasons == [("too_large", "large 300"), ("too_large", "large 1900")]
    sdk = running.client.post("/v1/track", sized("by an SDK", 33 * 1024))
    assert sdk.status == 400, "of an SDK it is 32 KiB still"


def test_who_has_no_hook_is_404(running: Running) -> None:
    for path in ("/hooks/nobody", "/hooks/shop", "/hooks/", "/hooks/fans/x", "/hooks"):
        for method in ("POST", "GET"):
            answer = running.client.request(method, path, b"{}")
            assert (answer.status, answer.body["code"]) == (404, "not_found"), path
    add(running.settings, FANS | {"name": "former", "enabled": False}, WHY)
    until(lambda: post(running.client, {}, "former").body["code"] == "source_disabled", "it is known", 10)
    assert post(running.client, {}, "former").status == 404


def test_a_get_is_asked_of_the_adapter(running: Running) -> None:
    answer = running.client.get("/hooks/fans?challenge=7")
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
    assert running.client.get("/hooks/fans", X_Cdp_Signature=signature(b"")).status == 400


def test_other_methods_are_405(running: Running) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = running.client.request(method, "/hooks/fans", b"{}")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


def test_limits_hold_and_what_is_forged_uses_nothing_of_them(running: Running) -> None:
    add(running.settings, FANS | {"name": "few", "quota": 3}, WHY)
    secret(running.settings, SECRET, source="few")
    until(lambda: post(running.client, [], "few").status == 200, "it is known", 10)
    for _ in range(5):
        assert post(running.client, [followed("few")] * 5, "few", "another secret").status == 401
    assert post(running.client, [followed("few 1"), followed("few 2")], "few").status == 200
    assert post(running.client, b"{broken", "few").status == 400
    answer = post(running.client, followed("few 3"), "few")
    assert (answer.status, answer.body["code"]) == (429, "quota_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert {event.message_id for event in running.events("few")} == {"few 1", "few 2"}


def test_a_secret_is_rotated_without_a_restart_and_shown_nowhere(running: Running) -> None:
    old, new = "the-old-secret-of-turning", "the-new-secret-of-turning"
    add(running.settings, FANS | {"name": "turning"}, WHY)
    until(lambda: post(running.client, [], "turning").status == 503, "it is known, and not ready", 10)
    answer = post(running.client, followed("early"), "turning", old)
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    told = [line for line in running.process.said().splitlines() if "secret is missing" in line]
    assert len(told) == 1, "once, however often they send"
    place = {name: orjson.loads(told[0])[name] for name in ("source", "file", "variable")}
    assert running.settings.secrets is not None
    assert place == {
        "source": "turning",
        "file": str(running.settings.secrets / "turning" / "signing_secret"),
        "variable": "CDP_SECRET_TURNING_SIGNING_SECRET",
    }

    def heard(key: str, status: int) -> None:
        until(lambda: post(running.client, [], "turning", key).status == status, f"{status} of {key}", 10)

    secret(running.settings, old, source="turning")
    heard(old, 200)
    assert post(running.client, [], "turning", new).status == 401
    secret(running.settings, new, old, source="turning")
    heard(new, 200)
    assert post(running.client, followed("by the old"), "turning", old).status == 200
    secret(running.settings, new, source="turning")
    heard(old, 401)
    assert post(running.client, followed("by the new"), "turning", new).status == 200
    shown = running.process.said() + running.client.get("/metrics").body.decode()
    kept = [record.value.decode() for record in read(running.settings, EVENTS) + running.rejected()]
    for value in (old, new, SECRET):
        assert value not in shown
        assert not [record for record in kept if value in record]


def test_a_source_of_an_adapter_has_a_write_key_too(running: Running) -> None:
    key = add(running.settings, FANS | {"name": "both"}, WHY)
    client = running.client.without_key()
    client.headers = {"X-Write-Key": key}
    until(lambda: client.post("/v1/track", followed("by key")).status == 200, "it is known", 10)
    change(running.settings, "both", {"enabled": False}, WHY)
    until(lambda: client.post("/v1/track", followed("by key")).status == 404, "it is disabled", 10)


@pytest.mark.parametrize(("language", "name"), [("python", "by-python"), ("sh", "by-curl")])
def test_the_examples_of_the_page_do_what_they_say(running: Running, language: str, name: str) -> None:
    (example,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    host, port = running.client.address
    env = {**os.environ, "SECRET": SECRET, "URL": f"http://{host}:{port}/hooks/fans"}
    argv = [sys.executable, "-c", example] if language == "python" else ["sh", "-ec", example]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert '{"success":true}' in done.stdout
    (event,) = running.events(name)
    assert event.name == "Account Followed"


def test_while_kafka_is_away_it_is_503_and_then_taken_once(own_broker: Broker, tmp_path: Path) -> None:
    settings = founded(tmp_path / "home", own_broker.address)
    process = Process("ingest", settings)
    with serving(process, settings) as client:
        assert post(client, followed("before")).status == 200
        own_broker.kill()
        answer = post(client, followed("meanwhile"))
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert post(client, followed("forged"), secret="another").status == 401
        own_broker.start()
        until(lambda: post(client, followed("meanwhile")).status == 200, "it takes events again")
        found = Running(settings, process, client)
        assert len(found.events("before")) == 1
        assert len({event.message_id for event in found.events("meanwhile")}) == 1
        assert not found.events("forged")

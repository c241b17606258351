"""The endpoint of hooks in this process, with an adapter of the test's own: what a real one does not do at will."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from ingest.adapters.adapter import Adapter, Hook, Named, NotGenuine, Reply, Taken
from ingest.adapters.registry import ADAPTERS
from ingest.log import Overloaded
from ingest.refusal import malformed
from ingest.strangers import Strangers
from schemas.errors import Unavailable
from tests.ingest.test_app import Log, Server
from tests.ingest.test_doors import source

PERSONAL = "ada@example.com"
VISIT = {"type": "track", "event": "Visit", "userId": "u1", "messageId": "m1"}
Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[..., Answer]


class Fake:
    """Does as it is told, and notes what it was given."""

    def __init__(self, does: Callable[[Hook], Taken]) -> None:
        self.does, self.given = does, list[tuple[Hook, Named, Named]]()

    def take(self, hook: Hook, secrets: Named, config: Named) -> Taken:
        self.given.append((hook, dict(secrets), dict(config)))
        return self.does(hook)


@pytest.fixture
def adapt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Server, Fake]]:
    """A server whose source `till` has an adapter that does this."""

    def adapt(does: Callable[[Hook], Taken], log: Log | None = None, **terms: Any) -> tuple[Server, Fake]:
        fake = Fake(does)
        monkeypatch.setitem(ADAPTERS, "fake", Adapter("fake", "", "social", ("key",), (), fake.take))
        monkeypatch.setenv("CDP_SECRET_TILL_KEY", "new\nold")
        return Server(source(adapter="fake", config={"shop": "a"}, **terms), log=log), fake

    return adapt


def events(server: Server) -> list[Any]:
    return [orjson.loads(value) for accepted in server.log.written for _, value in accepted.events]


def test_an_adapter_is_given_the_request_as_it_came(adapt: Any) -> None:
    server, fake = adapt(lambda _: Taken([VISIT]))
    asked = {"X_Mine": "é", "Content_Type": "text/xml"}
    assert server.ask("POST", "/hooks/till?a=1&b=%C3%A9&a=2&c=", {"x": 1}, **asked)[0] == 200
    hook, secrets, config = fake.given[0]
    assert (hook.method, hook.body, hook.query) == ("POST", b'{"x":1}', {"a": "2", "b": "é", "c": ""})
    assert hook.headers[b"Content-Type"] == b"text/xml"
    assert (secrets, config) == ({"key": "new"}, {"shop": "a"})
    (event,) = events(server)
    assert (event["source"], event["message_id"], event["received_at"]) == ("till", "m1", hook.now)


def test_a_handshake_is_answered_and_leaves_nothing(adapt: Any) -> None:
    server, _ = adapt(lambda hook: Taken([], Reply(hook.query["echostr"].encode(), "text/plain")))
    status, told, body = server.ask("GET", "/hooks/till?echostr=7")
    assert (status, body, told["content-type"]) == (200, b"7", "text/plain")
    assert server.log.written == []


@pytest.mark.parametrize("status", [200, 201, 204, 418])
def test_the_reply_is_the_adapters_whatever_it_is(adapt: Any, status: int) -> None:
    server, _ = adapt(lambda _: Taken([VISIT], Reply(b"<xml/>", "text/xml", status)))
    found, told, body = server.ask("POST", "/hooks/till", {})
    assert (found, body, told["content-type"]) == (status, b"<xml/>", "text/xml")
    assert f'cdp_ingest_requests_total{{status="{status}"}} 1.0' in server.service.metrics.page().decode()


def test_what_is_rotated_is_tried_after_the_newest(adapt: Any) -> None:
    server, fake = adapt(lambda _: Taken([]))

    def old_only(hook: Hook, secrets: Named, _: Named) -> Taken:
        if secrets["key"] != "old":
            raise NotGenuine
        return Taken([VISIT])

    fake.take = old_only
    ADAPTERS["fake"] = ADAPTERS["fake"]._replace(take=old_only)
    assert server.ask("POST", "/hooks/till", {})[0] == 200
    assert len(events(server)) == 1


def test_who_is_not_genuine_is_tried_no_further_than_the_secrets(adapt: Any) -> None:
    def forged(_: Hook) -> Taken:
        raise NotGenuine

    server, fake = adapt(forged)
    status, _, body = server.ask("POST", "/hooks/till", {})
    assert (status, orjson.loads(body)["code"]) == (401, "unauthorized")
    assert [secrets["key"] for _, secrets, _ in fake.given] == ["new", "old"]
    assert server.log.written == []


def test_who_is_not_genuine_is_told_by_source_once_a_minute(
    adapt: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forged(_: Hook) -> Taken:
        raise NotGenuine("not signed with this source's secret")

    server, _ = adapt(forged)
    now = [7.0]
    monkeypatch.setattr(server.service, "strangers", Strangers(lambda: now[0]))
    for seconds, told in ((7.0, 1), (8.0, 0), (66.9, 0), (67.0, 1), (90.0, 0), (127.0, 1)):
        now[0] = seconds
        server.ask("POST", "/hooks/till?secret=guessed", {"email": PERSONAL})
        said = capsys.readouterr()
        text = said.out + said.err
        assert text.count("answered 401") == told
        assert PERSONAL not in text
        assert "guessed" not in text
        if seconds == 67.0:
            assert "requests=3" in text
            assert "source=till" in text
            assert "not signed with this source's secret" in text


def test_one_source_does_not_hide_another(capsys: pytest.CaptureFixture[str]) -> None:
    strangers = Strangers(lambda: 7.0)
    for source_ in ("till", "shop", "till"):
        strangers.came(source_, "too old")
    said = capsys.readouterr()
    assert (said.out + said.err).count("answered 401") == 2


def test_of_a_body_over_2_mib_nothing_is_kept_and_its_sender_is_not_told_otherwise(adapt: Any) -> None:
    server, _ = adapt(lambda _: Taken([VISIT]))
    status, _, body = server.ask("POST", "/hooks/till", "x" * 2_100_000)
    assert (status, orjson.loads(body)["message"]) == (400, "a body may have 2097152 bytes")
    assert server.log.written == []


def test_a_refusal_is_kept_and_tried_with_no_other_secret(adapt: Any) -> None:
    def broken(_: Hook) -> Taken:
        raise malformed("not what it should be")

    server, fake = adapt(broken)
    status, _, body = server.ask("POST", "/hooks/till", {"x": 1})
    assert (status, orjson.loads(body)) == (
        400,
        {"success": False, "code": "malformed", "message": "not what it should be"},
    )
    ((rejection, _),) = server.log.written[0].refused
    assert rejection.original == b'{"x":1}'
    assert len(fake.given) == 1


def test_a_defect_of_an_adapter_is_told_by_its_place_and_nothing_of_anybody(
    adapt: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def defect(_: Hook) -> Taken:
        raise KeyError(PERSONAL)

    server, _ = adapt(defect)
    status, _, body = server.ask("POST", "/hooks/till", {"email": PERSONAL})
    assert (status, orjson.loads(body)["code"]) == (500, "internal")
    said = capsys.readouterr()
    assert "test_hooking.py" in said.out + said.err
    assert "fake" in said.out + said.err
    for shown in (said.out, said.err, body.decode()):
        assert PERSONAL not in shown
        assert "new" not in shown.split()
    assert server.log.written == []


@pytest.mark.parametrize(
    ("log", "status"),
    [
        (Log(Overloaded()), 429),
        (Log(Unavailable("Kafka is away")), 503),
        (Log(Unavailable("Kafka is silent"), late=True), 503),
    ],
)
def test_no_reply_before_the_log_has_it_and_what_it_has_not_does_not_count(
    adapt: Any, log: Log, status: int
) -> None:
    server, _ = adapt(lambda _: Taken([VISIT, VISIT], Reply(b"success")), log, quota=2)
    for _ in range(3):
        found, told, body = server.ask("POST", "/hooks/till", {})
        assert (found, int(told["retry-after"]) > 0) == (status, True)
        assert body != b"success"
    log.error = None
    assert server.ask("POST", "/hooks/till", {})[2] == b"success"
    assert server.ask("POST", "/hooks/till", {})[0] == 429


def test_an_adapter_of_another_version_is_503(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(source(adapter="tomorrows"))
    for _ in range(3):
        status, told, _ = server.ask("POST", "/hooks/till", {})
        assert (status, told["retry-after"]) == (503, "60")
    said = capsys.readouterr()
    assert (said.out + said.err).count("unknown adapter") == 1


def test_what_the_log_has_no_place_for_stands_beside_what_was_sent(adapt: Any) -> None:
    sent = {"who": "guest", "what": "visit"}
    message = VISIT | {"userId": "guest", "anonymousId": "a1", "context": {"original": sent}, "odd": 1}
    server, _ = adapt(lambda _: Taken([message]))
    assert server.ask("POST", "/hooks/till", {})[0] == 200
    assert events(server)[0]["context"]["original"] == {**sent, "userId": "guest", "odd": 1}


def test_many_events_of_one_request_are_refused_as_a_whole(adapt: Any) -> None:
    server, _ = adapt(lambda _: Taken([VISIT] * 2_501))
    assert server.ask("POST", "/hooks/till", {})[0] == 400
    assert events(server) == []

"""Every adapter at a running ingest with a real log: genuine, forged and repeated, from the wire to the record."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from deploy.init import init
from ingest.adapters.registry import ADAPTERS
from schemas.event import Event
from schemas.settings import Settings
from schemas.topics import EVENTS, REJECTED
from tests.conftest import settings_for
from tests.ingest.adapters.senders import SENDERS, Request, Sender, add_sources, ask
from tests.ingest.servers import Answer, Client, read, serving
from tests.processes import Process
from tests.waiting import until


class Running:
    """A running ingest with a source of every sender."""

    def __init__(self, settings: Settings, process: Process, client: Client) -> None:
        self.settings, self.process, self.client = settings, process, client

    def left(self, source: str) -> list[Any]:
        """Whatever the log has of a source: its events, and what was rejected of it."""
        found = [Event.model_validate_json(record.value) for record in read(self.settings, EVENTS)]
        rejected = [record for record in read(self.settings, REJECTED) if record.key == source]
        return [*(event for event in found if event.source == source), *rejected]


@pytest.fixture(scope="module")
def every(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("every")
    settings = settings_for(home, kafka=kafka, secrets=home / "secrets")
    init(settings)
    add_sources(settings, *SENDERS)
    process = Process("ingest", settings)
    with serving(process, settings) as client:
        yield Running(settings, process, client)


def test_every_adapter_is_tried_here() -> None:
    assert {sender.adapter for sender in SENDERS.values()} == set(ADAPTERS)


def forgeries(sender: Sender) -> Iterator[Request]:
    """By another's key, not signed at all, and altered on the way where the signature is of the body."""
    genuine = sender.sign(sender.body, True)
    yield sender.sign(sender.body, False)
    yield genuine._replace(headers={}, query={})
    if sender.covers:
        yield genuine._replace(body=sender.sign(sender.body.replace(b"1", b"2"), True).body)


@pytest.mark.parametrize("source", SENDERS)
def test_an_adapter_from_the_wire_to_the_log(every: Running, source: str) -> None:
    sender = SENDERS[source]
    for forged in forgeries(sender):
        assert ask(every.client, source, forged).status == 401
    _shakes_hands(every, source, sender)
    assert every.left(source) == [], "neither a forgery nor a handshake is anything that happened"
    for _ in range(2):
        _assert_heard(
            ask(every.client, source, sender.sign(sender.body, True)), sender.reply, sender.content_type
        )
    events = every.left(source)
    assert len(events) == 2
    assert len({event.message_id for event in events}) == 1, "what is sent again is the same again"
    for event in events:
        assert (event.name, event.channel) == (sender.name, sender.channel)
        assert event.identifiers == sender.identifiers
        assert event.context["original"] == sender.original


def _shakes_hands(every: Running, source: str, sender: Sender) -> None:
    if sender.handshake is None:
        return
    asks, echo = sender.handshake
    _assert_heard(ask(every.client, source, asks(True)), echo, "text/plain; charset=utf-8")
    if asks(False).query:  # WooCommerce's ping is signed by nobody
        assert ask(every.client, source, asks(False)).status == 401


def _assert_heard(answer: Answer, body: bytes, content_type: str) -> None:
    said = orjson.loads(body) if content_type == "application/json" else body
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, said, content_type)


@pytest.mark.parametrize("source", ["wechat-aes", "wecom"])
def test_a_key_that_is_none_is_503_and_told_once(every: Running, source: str) -> None:
    """It was pasted with a character missing: what is sent meanwhile comes again, for nothing of it is answered."""
    assert every.settings.secrets is not None
    sender, file = SENDERS[source], every.settings.secrets / source / "aes_key"
    pasted = sender.secrets["aes_key"][:-1]

    def status() -> int:
        return ask(every.client, source, sender.sign(sender.body, True)).status

    file.write_text(pasted)
    until(lambda: status() == 503, "the key cannot be used", 10)
    answer = ask(every.client, source, sender.sign(sender.body, True))
    assert (answer.body["code"], int(answer.headers["retry-after"]) > 0) == ("unavailable", True)
    file.write_text(sender.secrets["aes_key"])
    until(lambda: status() == 200, "it is usable again", 10)
    said = every.process.said()
    told = [orjson.loads(line) for line in said.splitlines() if "a secret cannot be used" in line]
    (mine,) = (line for line in told if line["source"] == source)
    assert (mine["secret"], mine["file"]) == ("aes_key", str(file))
    assert "EncodingAESKey" in mine["event"]
    assert pasted not in said

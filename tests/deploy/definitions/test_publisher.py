"""The publisher on a real Kafka: whole transactions, one publisher at a time."""

from typing import Any

import orjson
import pytest
from kafka.errors import KafkaConnectionError

from deploy import sole_producer
from deploy.definitions import history as log
from deploy.definitions.plan import standing
from deploy.definitions.publish import planned
from deploy.definitions.publisher import Publisher, publisher
from schemas.definitions import key_of
from schemas.errors import CdpError, Unavailable
from schemas.publication import Publication
from schemas.settings import Settings
from schemas.topics import COMMANDS, EVENTS, partition_of
from tests.integration.log import read
from tests.schemas.test_graph import segment

DID: dict[str, Any] = {"did": {"event": "Visit", "at_least": 3}}
MODEL = "model/main/2"


def markers(settings: Settings) -> list[tuple[int, int, str, str]]:
    found = [
        (r.partition, r.offset, orjson.loads(r.value)) for r in read(settings, EVENTS) if r.key == b"marker"
    ]
    return sorted(
        (p, offset, body["kind"], body["definition"])
        for p, offset, body in found
        if body["kind"] != "identity"
    )


def test_a_deployment_is_founded_with_its_model_in_force(deployment: Settings) -> None:
    history = log.read(deployment)
    assert history.now is not None
    assert key_of(history.now) == "model/main/1"
    assert (history.unfinished, key_of(history.lifecycle)) == (None, "lifecycle/ecommerce/1")
    kinds = {(partition, kind) for partition, _, kind, _ in markers(deployment)}
    assert kinds == {(p, kind) for p in range(deployment.partitions) for kind in ("lifecycle", "model")}
    assert planned(history, standing(history.definitions, history.now)).steps == ()


def test_a_transaction_is_there_as_a_whole_with_the_offsets_that_it_tells(deployment: Settings) -> None:
    made = planned(log.read(deployment), [log.read(deployment).lifecycle, segment("vip", DID)], "why")
    with publisher(deployment) as writer:
        with writer.transaction():
            writer.define([*made.new, made.model])
            told = Publication(model=MODEL, below=writer.mark("collecting", MODEL))
            writer.note(told)
        with writer.transaction():
            writer.command([(f"user_id:{n}", {"v": 1}) for n in range(50)])
            writer.note(told.model_copy(update={"sent": 50}))
    history = log.read(deployment)
    assert history.unfinished is not None
    assert history.unfinished.publication == told.model_copy(update={"sent": 50})
    assert history.unfinished.model == made.model
    assert key_of(history.now or made.model) == "model/main/1", "the new one is not in force yet"
    collecting = [(p, offset) for p, offset, kind, _ in markers(deployment) if kind == "collecting"]
    assert collecting == list(enumerate(told.below))
    commands = read(deployment, COMMANDS)
    assert len(commands) == 50
    assert all(r.partition == partition_of(r.key.decode(), deployment.partitions) for r in commands)


def test_what_fails_half_way_leaves_nothing(deployment: Settings) -> None:
    def fail(writer: Publisher) -> None:
        with writer.transaction():
            writer.mark("collecting", MODEL)
            writer.note(Publication(model=MODEL))
            raise ZeroDivisionError

    with publisher(deployment) as writer:
        with pytest.raises(ZeroDivisionError):
            fail(writer)
        with writer.transaction():
            writer.mark("model", MODEL)
    assert log.read(deployment).unfinished is None
    assert {kind for _, _, kind, _ in markers(deployment)} == {"lifecycle", "model"}


@pytest.mark.parametrize("in_the_midst", [False, True])
def test_who_starts_takes_over_and_the_other_is_told(deployment: Settings, in_the_midst: bool) -> None:
    def overtaken() -> None:
        with publisher(deployment) as first, first.transaction():
            if in_the_midst:
                first.mark("collecting", "model/main/3")
            with publisher(deployment) as second, second.transaction():
                second.mark("model", MODEL)
            first.mark("model", "model/main/3")

    with pytest.raises(CdpError, match="another publication has taken over"):
        overtaken()
    assert {definition for *_, definition in markers(deployment)} & {MODEL, "model/main/3"} == {MODEL}


def test_without_kafka_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise KafkaConnectionError

    monkeypatch.setattr(sole_producer, "last_transaction", away)
    with pytest.raises(Unavailable), publisher(Settings()):
        pass

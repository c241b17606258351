"""Devices publish to a real broker; the log has each event once, whatever is killed or restarted."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import MqttCodeError, MqttError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from deploy.init import init
from ingest.brokers.mqtt import _reason
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.topics import REJECTED
from tests.conftest import settings_for
from tests.ingest.brokers.certificates import certified
from tests.ingest.brokers.mosquitto import (
    Device,
    Mosquitto,
    bridge,
    connected,
    events,
    heard,
    passwords,
    sources_file,
)
from tests.ingest.servers import read
from tests.processes import running
from tests.servers import Broker
from tests.waiting import until

VISITS = "shops/oslo/kiosks/k7/visit"


def visits(*numbers: int) -> list[dict[str, Any]]:
    return [{"card": f"700{n:04}", "at": "2026-11-22T10:00:00+01:00", "number": n} for n in numbers]


def ids(settings: Settings) -> set[str]:
    return {event["message_id"] for event in events(settings)}


@pytest.fixture
def shop(deployed: Callable[..., Settings], tmp_path: Path) -> Settings:
    return deployed(sources=sources_file(tmp_path, kiosks="iot"))


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


def test_what_devices_publish_are_events_and_what_cannot_be_read_is_kept_with_its_reason(
    shop: Settings, mosquitto: Mosquitto
) -> None:
    process = bridge(shop, mosquitto)
    with running(process), Device(mosquitto.port) as device:
        connected(process)
        device.publish(VISITS, *visits(17))
        device.publish("shops/oslo/kiosks/k7/temperature", b"21.5", b"warm", b"\xff\xfe", b"{half")
        device.publish("shops/oslo/kiosks/k7/other", {"a": 1})
        until(lambda: len(events(shop)) == 2 and len(read(shop, REJECTED)) == 4)
        assert process.end() == 0
    visit, measured = sorted(events(shop), key=lambda event: event["name"], reverse=True)
    assert (visit["name"], visit["channel"], visit["source"]) == ("Visit", "iot", "kiosks")
    assert visit["identifiers"] == {"membership_card": ["7000017"], "device_id": ["k7"]}
    assert visit["properties"] == {"shop": "oslo"}
    assert visit["original_timestamp"] == "2026-11-22T09:00:00.000Z"
    assert visit["message_id"] == "kiosks/Visit/k7/17"
    assert visit["context"]["original"]["$topic"] == VISITS
    assert (measured["name"], measured["properties"]) == (
        "Temperature Measured",
        {"shop": "oslo", "celsius": 21.5},
    )
    reasons = sorted((record.headers["reason"], record.value) for record in read(shop, REJECTED))
    assert [reason for reason, _ in reasons] == ["invalid", "invalid", "malformed", "malformed"]
    assert [value for _, value in reasons[2:]] == [b"{half", b"\xff\xfe"]
    assert heard(process, "taken")[-1] | {"events": 2, "rejected": 4} == heard(process, "taken")[-1]


def test_a_message_without_a_payload_is_counted_and_no_event(shop: Settings, mosquitto: Mosquitto) -> None:
    process = bridge(shop, mosquitto)
    with running(process), Device(mosquitto.port) as device:
        connected(process)
        device.publish("shops/oslo/kiosks/k7/temperature", b"", b"21")
        until(lambda: events(shop))
        assert process.end() == 0
        process.start()  # all was acknowledged: nothing comes again
        connected(process, 2)
        device.publish("shops/oslo/kiosks/k7/temperature", b"22")
        until(lambda: len(events(shop)) == 2)
        assert process.end() == 0
    assert [event["properties"].get("celsius") for event in events(shop)] == [21, 22]
    assert [told["empty"] for told in heard(process, "taken")] == [1, 0]


def test_how_far_it_is_is_told_after_the_last_message_too(shop: Settings, mosquitto: Mosquitto) -> None:
    process = bridge(shop, mosquitto)
    with running(process), Device(mosquitto.port) as device:
        connected(process)
        for number in range(3):
            device.publish(VISITS, *visits(number))
            until(lambda sent=number + 1: len(events(shop)) == sent)  # type: ignore[misc]
        until(lambda: heard(process, "taken") and heard(process, "taken")[-1]["events"] == 3, seconds=12)


def test_killed_at_any_moment_nothing_is_lost_and_nothing_gets_a_second_id(
    shop: Settings, mosquitto: Mosquitto
) -> None:
    process = bridge(shop, mosquitto)
    with Device(mosquitto.port) as device:
        with running(process):
            connected(process)  # from here on the broker keeps what comes
        for round_ in range(4):
            with running(process):
                connected(process, round_ + 2)
                device.publish(VISITS, *visits(*range(round_ * 500, round_ * 500 + 500)))
                device.publish("shops/oslo/kiosks/k7/temperature", str(round_).encode())
                process.kill()
        with running(process):
            connected(process, 6)  # those before it may have taken all
            until(lambda: len(ids(shop)) >= 2_004)
            assert process.end() == 0
    found = events(shop)
    assert ids(shop) >= {f"kiosks/Visit/k7/{n}" for n in range(2_000)}
    assert len({(event["name"], event["message_id"]) for event in found}) == 2_004


def test_over_a_restart_of_the_broker_it_says_so_once_and_goes_on(
    shop: Settings, mosquitto: Mosquitto
) -> None:
    process = bridge(shop, mosquitto)
    with running(process):
        connected(process)
        mosquitto.program.stop()
        until(lambda: heard(process, "the broker is away, trying again"))
        mosquitto.program.start()
        mosquitto.program.wait_ready()
        connected(process, 2)
        with Device(mosquitto.port) as device:
            device.publish(VISITS, *visits(1, 2, 3))
        until(lambda: len(events(shop)) == 3)
        assert process.end() == 0
        with Device(mosquitto.port) as device:
            device.publish(VISITS, *visits(4, 5))  # while nobody listens
    mosquitto.program.restart()
    with running(process):
        until(lambda: len(events(shop)) == 5)
        assert process.end() == 0
    said = [line["reason"] for line in heard(process, "the broker is away, trying again")]
    assert len(said) == len(set(said)) <= 2
    assert ids(shop) == {f"kiosks/Visit/k7/{n}" for n in range(1, 6)}


def test_what_the_log_does_not_have_is_not_acknowledged(
    own_broker: Broker, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shop = settings_for(home, kafka=own_broker.address, sources=sources_file(tmp_path, kiosks="iot"))
    init(shop)
    process = bridge(shop, mosquitto)
    with running(process), Device(mosquitto.port) as device:
        connected(process)
        own_broker.program.send(signal.SIGSTOP)
        device.publish(VISITS, *visits(*range(50)))
        until(lambda: heard(process, "nothing is taken now"))
        process.kill()
        own_broker.program.send(signal.SIGCONT)
    with running(process):
        until(lambda: len(ids(shop)) == 50)
        assert process.end() == 0
    assert len(heard(process, "nothing is taken now")) == 1


def test_the_broker_is_trusted_by_its_certificate_and_hears_the_password_of_the_source(
    shop: Settings, tmp_path: Path
) -> None:
    certificate, key = certified(tmp_path)
    passwords(tmp_path / "passwords", "cdp", "a-word-of-ours")
    lines = [f"password_file {tmp_path}/passwords", f"certfile {certificate}", f"keyfile {key}"]
    secret = tmp_path / "secrets" / "kiosks" / "mqtt_password"
    settings = shop.model_copy(update={"secrets": tmp_path / "secrets"})
    with Mosquitto(tmp_path / "secured", lines=lines) as broker:
        login: dict[str, Any] = {"user": "cdp", "tls": {"ca": str(certificate)}}
        process = bridge(settings, broker, **login)
        with running(process):
            assert process.wait(30) == 1
        assert str(secret) in "".join(map(str.strip, process.said().splitlines()))
        secret.parent.mkdir(parents=True)
        secret.write_text("another\n")
        with running(process):
            until(lambda: heard(process, "the broker is away, trying again"))
            assert process.end() == 0
        secret.write_text("a-word-of-ours\n")
        with running(process):
            connected(process)
            assert process.end() == 0
        strict = bridge(settings, broker, "strict", user="cdp", tls={})
        with running(strict):
            until(lambda: heard(strict, "the broker is away, trying again"))
        assert "certificate" in heard(strict, "the broker is away, trying again")[0]["reason"]
    assert "a-word-of-ours" not in process.said() + strict.said()


def test_two_processes_with_one_name_do_not_chase_each_other_and_say_what_to_do(
    shop: Settings, mosquitto: Mosquitto
) -> None:
    first, second = (bridge(shop, mosquitto, name, client="kiosks") for name in ("first", "second"))
    with running(first):
        connected(first)
        with running(second):
            connected(second)
            until(lambda: heard(first, "the broker is away, trying again"))
            connected(first, 2)
        with Device(mosquitto.port) as device:
            device.publish(VISITS, *visits(1))
        until(lambda: len(events(shop)) == 1)
    assert "CDP_INSTANCE" in heard(first, "the broker is away, trying again")[0]["hint"]


def test_a_broker_that_says_who_took_over_ends_the_process() -> None:
    lost = MqttError("Disconnected")
    lost.__cause__ = MqttCodeError(ReasonCode(PacketTypes.DISCONNECT, identifier=142))
    with pytest.raises(ConfigError, match="another process"):
        _reason(lost)


def test_several_processes_share_what_comes(shop: Settings, mosquitto: Mosquitto) -> None:
    both = [bridge(shop, mosquitto, name, share="kiosks") for name in ("one", "two")]
    with running(*both):
        for process in both:
            connected(process)
        with Device(mosquitto.port) as device:
            device.publish(VISITS, *visits(*range(100)))
        until(lambda: len(ids(shop)) == 100)
        for process in both:
            assert process.end() == 0
    taken = [heard(process, "taken")[-1]["events"] for process in both]
    assert sum(taken) == 100
    assert all(taken)


def test_equal_messages_without_a_time_or_a_number_are_one_event_and_their_packets_tell_them_apart(
    shop: Settings, mosquitto: Mosquitto
) -> None:
    process = bridge(shop, mosquitto)
    with running(process), Device(mosquitto.port) as device:
        connected(process)
        device.publish("shops/oslo/kiosks/k7/temperature", b"20", b"20", b"21")
        until(lambda: len(events(shop)) == 3)
        assert process.end() == 0
    assert len(ids(shop)) == 2
    packets = [event["context"]["original"]["$packet"] for event in events(shop)]
    assert len(set(packets)) == 3

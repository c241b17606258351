"""A real MQTT broker of a test's own, what devices publish to it, and `cdp mqtt` before it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import orjson
import paho.mqtt.client as paho
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from deploy.localstack.ports import free_ports
from deploy.program import Program
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.ingest.servers import read
from tests.processes import Process
from tests.waiting import connects, until

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
PATH = f"{os.environ['PATH']}:/usr/sbin"


class Mosquitto:
    """The broker on 127.0.0.1: it keeps sessions and what is queued, over restarts too."""

    def __init__(self, folder: Path, *, lines: Iterable[str] = ("allow_anonymous true",)) -> None:
        folder.mkdir()
        self.folder = folder
        (self.port,) = free_ports(1)
        config = [
            f"listener {self.port} 127.0.0.1",
            *lines,
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "user root",
        ]
        (folder / "mosquitto.conf").write_text("\n".join(config) + "\n")
        program = shutil.which("mosquitto", path=PATH)
        assert program, "deploy/setup.sh tests"
        argv = [program, "-c", str(folder / "mosquitto.conf")]
        self.program = Program("mosquitto", argv, folder / "mosquitto.log", lambda: _answers(self.port))

    def __enter__(self) -> Self:
        self.program.start()
        self.program.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()


def _answers(port: int) -> None:
    assert connects(port)


def passwords(file: Path, user: str, password: str) -> None:
    """A password file."""
    program = shutil.which("mosquitto_passwd", path=PATH)
    assert program
    subprocess.run([program, "-b", "-c", str(file), user, password], check=True)


class Device:
    """A device that publishes with QoS 1, and returns when the broker has it all."""

    def __init__(self, port: int, **login: Any) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if login:
            self._client.username_pw_set(**login)
        self._port = port

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, *payloads: Any, qos: int = 1) -> None:
        sent = [self._client.publish(topic, _bytes(payload), qos) for payload in payloads]
        for each in sent:
            each.wait_for_publish(30)
            assert each.is_published()


def _bytes(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else orjson.dumps(payload)


def mapping_file(example: str, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """An example of the docs, changed to what the test has."""
    mapping: dict[str, Any] = yaml.safe_load((EXAMPLES / example).read_text())
    change(mapping)
    path.write_text(yaml.safe_dump(mapping))
    return path


def bridge(settings: Settings, broker: Mosquitto, name: str = "mqtt", **more: Any) -> Process:
    """`cdp mqtt` with the example's mapping; `more` goes into its `mqtt`."""

    def change(mapping: dict[str, Any]) -> None:
        mapping["mqtt"] |= {"host": "127.0.0.1", "port": broker.port, **more}

    file = mapping_file("mqtt.yaml", settings.home / f"{name}.yaml", change)
    return Process(f"mqtt --mapping {file}", settings, name)


def heard(process: Process, event: str) -> list[dict[str, Any]]:
    """What a process said, of one kind."""
    lines = [orjson.loads(line) for line in process.said().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def connected(process: Process, times: int = 1) -> None:
    """Return when it said so, so many times."""
    until(lambda: len(heard(process, "connected")) >= times, "it is connected")


def events(settings: Settings) -> list[Any]:
    """All events in the log."""
    return [orjson.loads(record.value) for record in read(settings, EVENTS)]


def sources_file(folder: Path, **channels: str) -> Path:
    """Sources by name, with their channels."""
    sources = [
        {"name": name, "write_key": f"the-key-of-{name}", "channel": channel, "trusted": True}
        for name, channel in channels.items()
    ]
    file = folder / "sources.yaml"
    file.write_text(yaml.safe_dump({"sources": sources}))
    return file

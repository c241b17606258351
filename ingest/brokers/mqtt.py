"""`cdp mqtt`: what devices publish, from an MQTT 5 broker into the log.

    subscribe -> wait -> map -> accept -> log -> acknowledge

A session that outlives the connection, QoS 1, and an acknowledgement only once the log has the event: killed anywhere,
the broker sends again what was not acknowledged, as the same messageId. Memory is bounded by how much the broker may
send unacknowledged.
"""

import asyncio
import ssl
import time
from typing import Any

import structlog
from aiomqtt import Client, Message, MqttCodeError, MqttError, ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.brokers import topics
from ingest.brokers.feed import Feed
from ingest.brokers.login import password, trust
from schemas.brokers import Mqtt
from schemas.errors import ConfigError

SESSION_SECONDS = 7 * 86_400
"""How long the broker is asked to keep what it has for us while we are away."""
UNACKNOWLEDGED = 512
"""Messages that the broker may send ahead of our acknowledgements."""
MAX_PACKET = 1024 * 1024
"""Bytes of a message; of larger ones the broker says nothing."""
MAX_UNASKED = 4_096
"""Messages of QoS 0, which nobody acknowledges, that wait; more are dropped, and counted."""
KEEPALIVE = 30
FIRST_WAIT, MAX_WAIT = 0.5, 30.0
"""Seconds until we try again."""
STEADY_SECONDS = 10.0
"""A connection that was lost sooner was none: so two processes with one client id do not chase each other for ever."""
SAME_CLIENT = "where this goes on, another process has this client id: set CDP_INSTANCE, of each another"
NEW_SUBSCRIPTION = 1
"""What the broker retained is sent when a subscription is made, not each time we connect."""
TAKEN_OVER = 142

say = structlog.get_logger("ingest.brokers")


class Waiting(asyncio.Queue[Message]):
    """Messages that arrived. Those of QoS 1 are as many as the broker may send ahead."""

    dropped = 0
    blank = 0

    def put_nowait(self, item: Message) -> None:
        """Put a message in; one that nobody acknowledges is dropped where too many wait."""
        if item.qos == 0 and self.qsize() >= MAX_UNASKED:
            self.dropped += 1
            return
        super().put_nowait(item)

    def counts(self) -> dict[str, int]:
        """How many are there, how many were dropped, and how many said nothing."""
        return {"waiting": self.qsize(), "dropped": self.dropped, "empty": self.blank}

    def drain(self) -> list[Message]:
        """All that is there now."""
        return [self.get_nowait() for _ in range(self.qsize())]


class Acknowledging(Client):
    """A client whose messages are acknowledged when it is told to."""

    def __init__(self, waiting: Waiting, **options: Any) -> None:
        super().__init__(queue_type=lambda **_: waiting, **options)  # type: ignore[arg-type]
        # aiomqtt offers no way of its own: github.com/empicano/aiomqtt/issues/345
        self._client.manual_ack_set(on=True)

    def acknowledge(self, messages: list[Message]) -> None:
        """Tell the broker, in the order in which they came; one that is gone sends them again."""
        for message in messages:
            if message.qos:
                self._client.ack(message.mid, message.qos)


async def bring(feed: Feed) -> None:
    """Take what the broker sends until the process is to end; ConfigError where the broker will not have us."""
    broker = feed.mapping.mqtt
    if broker is None:
        raise ConfigError("the mapping does not say which broker", feed.mapping.name, "mqtt: {host, topics}")
    options = _options(feed, broker)
    wait, said = FIRST_WAIT, ""
    while not feed.stop.is_set():
        waiting, since = Waiting(), 0.0
        feed.waiting = waiting.counts
        try:
            async with Acknowledging(waiting, **options) as client:
                await _subscribe(client, broker)
                since = time.monotonic()
                say.info("connected", broker=broker.host, client=client.identifier)
                await _take(feed, client, waiting, topics.levels(broker.topics))
        except MqttError as error:
            if since and time.monotonic() - since > STEADY_SECONDS:
                wait, said = FIRST_WAIT, ""
            if (reason := _reason(error)) != said:
                hint = {"hint": SAME_CLIENT} if since and not said else {}
                say.error("the broker is away, trying again", broker=broker.host, reason=reason, **hint)
                said = reason
            await feed.rest(wait)
            wait = min(wait * 2, MAX_WAIT)


async def _take(feed: Feed, client: Acknowledging, waiting: Waiting, named: topics.Levels) -> None:
    """What arrives, all that waits together, until the process is to end."""
    stopping = asyncio.create_task(feed.stop.wait())
    try:
        while True:
            first = asyncio.ensure_future(anext(aiter(client.messages)))
            await asyncio.wait((first, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                first.cancel()
                return
            batch = [first.result(), *waiting.drain()]
            said = [message for message in batch if message.payload]  # an empty one clears what was retained
            await feed.take([_given(feed.mapping.name, named, message) for message in said])
            client.acknowledge(batch)
            waiting.blank += len(batch) - len(said)
    finally:
        stopping.cancel()


def _given(name: str, named: topics.Levels, message: Message) -> Any:
    stated = getattr(message.properties, "UserProperty", None) if message.properties else None
    return topics.given(
        name,
        named,
        message.topic.value,
        message.payload,
        dict(stated or ()),
        message.mid if message.qos else 0,
    )


async def _subscribe(client: Client, broker: Mqtt) -> None:
    """ConfigError where a filter is refused, or the broker would not say what we missed."""
    options = SubscribeOptions(qos=1, retainHandling=NEW_SUBSCRIPTION if broker.share is None else 0)
    asked = [(topics.subscription(each, broker.share), options) for each in broker.topics]
    for (filter_, _), code in zip(asked, await client.subscribe(asked), strict=True):
        if getattr(code, "value", code) != 1:
            raise ConfigError(
                f"the broker does not grant QoS 1: {code}", filter_, "see its access control list"
            )


def _options(feed: Feed, broker: Mqtt) -> dict[str, Any]:
    """How to connect."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_SECONDS
    properties.ReceiveMaximum = UNACKNOWLEDGED
    properties.MaximumPacketSize = MAX_PACKET
    instance = f"-{feed.settings.instance}" if feed.settings.instance else ""
    context: ssl.SSLContext | None = None if broker.tls is None else trust(broker.tls)
    return {
        "hostname": broker.host,
        "port": broker.port or (1883 if context is None else 8883),
        "tls_context": context,
        "username": broker.user,
        "password": password(feed, "mqtt_password") if broker.user else None,
        "identifier": broker.client or f"{feed.settings.namespace}-{feed.mapping.name}{instance}",
        "protocol": ProtocolVersion.V5,
        "clean_start": False,
        "keepalive": KEEPALIVE,
        "properties": properties,
    }


def _reason(error: MqttError) -> str:
    """Why there is no connection; ConfigError where another process has ours."""
    cause = error.__cause__ or error
    code = cause.rc if isinstance(cause, MqttCodeError) else None
    if getattr(code, "value", code) == TAKEN_OVER:
        raise ConfigError(
            "another process has this client id", "mqtt", "set CDP_INSTANCE, of each another"
        ) from None
    return str(cause)[:200]

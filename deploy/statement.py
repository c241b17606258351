"""An operator's event: two identifiers are one customer, or two. It is in the log like any other; nobody did it."""

import time
import uuid
from typing import Any, Literal

from kafka.errors import KafkaError

from deploy.clock import PATIENCE, writer
from schemas.errors import Unavailable
from schemas.event import Channel, Event
from schemas.settings import Settings
from schemas.topics import EVENTS, partition_of

NAMES = {"link": "Identifiers Linked", "split": "Identifiers Parted"}
SOURCE = "operator"
Statement = dict[str, Any]
"""A row of the view `identity_links`."""


def after(statements: list[Statement], pair: tuple[str, str]) -> int:
    """Unix ms after all that was said of a pair, for the latest counts, and a sender's clock may be ahead of ours."""
    said = [s for s in statements if s["kind"] != "link" and (s["greater"], s["lesser"]) == pair]
    return max((round(s["stated_at"].timestamp() * 1000) + 1 for s in said), default=0)


def append(
    settings: Settings,
    kind: Literal["link", "split"],
    pair: tuple[str, str],
    because: str,
    not_before: int = 0,
) -> None:
    """Write the operator's event, acknowledged by every replica; Unavailable where it is not known to be there."""
    now = time.time_ns() // 1_000_000
    event = Event(
        type=kind, name=NAMES[kind], message_id=str(uuid.uuid4()), source=SOURCE, channel=Channel.SERVER,
        occurred_at=max(now, not_before), received_at=now, identifiers={}, properties={"because": because},
        says=("alias" if kind == "link" else "split", *pair),
    )  # fmt: skip
    with writer(settings) as producer:
        try:
            producer.send(
                EVENTS.name(settings.namespace),
                key=pair[0].encode(),
                value=event.model_dump_json().encode(),
                headers=[("keys", " ".join(pair).encode())],
                partition=partition_of(pair[0], settings.partitions),
                timestamp_ms=now,
            ).get(PATIENCE)
        except KafkaError as error:
            hint = (
                "it may be in the log or not: `cdp identity explain` tells; to state it twice harms nothing"
            )
            raise Unavailable(f"Kafka did not acknowledge it: {error}", settings.kafka, hint) from error

"""What the platform refuses of the demo: one bad event does not fail its batch, so the answer does not tell."""

from collections.abc import Iterable
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.demo.orders import IDS
from schemas.errors import CdpError, Unavailable
from schemas.settings import Settings
from schemas.topics import REJECTED

MARK = f'"{IDS}'.encode()
"""What the original of every order has in it; the fold's refusals name no message."""


class Refusals:
    """Reads `cdp.rejected.v1` from now on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._partition = TopicPartition(REJECTED.name(settings.namespace), 0)

    def __enter__(self) -> Self:
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._settings.kafka.split(","),
                enable_auto_commit=False,
                isolation_level="read_committed",
                allow_auto_create_topics=False,
            )
            self._consumer.assign([self._partition])
            self._consumer.seek(self._partition, self._end())
        except KafkaError as error:
            raise self._unavailable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def check(self, *, to_the_end: bool = False) -> None:
        """Raise the reason for the first order that was refused; `to_the_end` misses none that is there now."""
        try:
            end = self._end() if to_the_end else 0
            self._raise_first(self._consumer.poll(timeout_ms=0).values())
            while self._consumer.position(self._partition) < end:
                self._raise_first(self._consumer.poll(timeout_ms=200).values())
        except KafkaError as error:
            raise self._unavailable(error) from error

    def _end(self) -> int:
        return int(self._consumer.end_offsets([self._partition])[self._partition])

    def _raise_first(self, polled: Iterable[list[Any]]) -> None:
        for records in polled:
            for record in records:
                if MARK in (record.value or b""):
                    said = {name: value.decode("utf-8", "replace") for name, value in record.headers}
                    what = f"an order was rejected: {said.get('reason')}: {said.get('detail')}"
                    raise CdpError(what, f"{record.topic}, by {said.get('where')}", "see the view `rejected`")

    def _unavailable(self, error: KafkaError) -> Unavailable:
        return Unavailable(f"Kafka: {error}", self._settings.kafka, "is it running? `cdp status`")

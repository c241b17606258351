"""Commands that are folded are needed no more: what they did is in the states, and the events tell it anew."""

from collections.abc import Mapping
from contextlib import closing

from kafka import TopicPartition

from processors.admin import admin

MANY = 1_000
"""Commands that are left in the log until it is worth a request."""


class Consumed:
    """Deletes commands below committed positions, a partition at a time; remembers up to where it did."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._below: dict[TopicPartition, int] = {}

    def delete(self, positions: Mapping[TopicPartition, int]) -> None:
        """Delete what lies below these positions, all of them committed. KafkaError of kafka-python where it fails."""
        due = {place: at for place, at in positions.items() if at - self._below.get(place, 0) >= MANY}
        if due:
            with closing(admin(self._kafka)) as client:
                client.delete_records(due)
            self._below |= due

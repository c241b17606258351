"""Kafka's administrative client, with bounds: it is asked beside the folding, which must not wait long for it."""

from kafka import KafkaAdminClient


def admin(kafka: str, kind: type[KafkaAdminClient] = KafkaAdminClient) -> KafkaAdminClient:
    """A connected client; KafkaError of kafka-python where there is none, or no answer later, within seconds."""
    return kind(bootstrap_servers=kafka.split(","), bootstrap_timeout_ms=5_000, request_timeout_ms=10_000)

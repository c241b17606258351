"""Follow customers through the stages, as a service downstream would. Stops after a minute of silence."""

import json

from kafka import KafkaConsumer

changes = KafkaConsumer(
    "cdp.lifecycle-changes.v1",
    bootstrap_servers="127.0.0.1:9092",
    group_id="my-service",
    auto_offset_reset="earliest",
    isolation_level="read_committed",  # or you would see what was never committed
    consumer_timeout_ms=60_000,
)
for record in changes:
    event = {name: value.decode() for name, value in record.headers}
    change = json.loads(record.value)
    print(event["ce_id"], event["ce_time"], change["identifiers"], change["from"], "->", change["to"])

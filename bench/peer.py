"""The peer of the fold: what a bare loop costs that reads the same topic and remembers next to nothing.

`python -m bench.peer BOOTSTRAP TOPIC PARTITIONS` prints a JSON object: events, seconds, CPU seconds.
"""

import sys
import time
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition


async def main(bootstrap: str, topic: str, count: str) -> dict[str, float]:
    """Read the topic from its beginning to its end: consume, parse, update a dict."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(int(count))]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    known: dict[bytes, dict[str, Any]] = {}
    events, began, cpu = 0, time.monotonic(), time.process_time()
    while any([await consumer.position(p) < end for p, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=100, max_records=8_000)).values():
            events += len(records)
            for record in records:
                event = orjson.loads(record.value)
                state = known.get(record.key)
                if state is None:
                    state = known[record.key] = {"events": 0}
                state["events"] += 1
                state["last"] = event.get("received_at")
    result = {"events": events, "seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    await consumer.stop()
    return result


if __name__ == "__main__":
    print(orjson.dumps(uvloop.run(main(*sys.argv[1:4]))).decode())

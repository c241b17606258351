"""What a request becomes beside the points of the protocol: records, counters, and nobody's harm."""

import socket

import orjson

from schemas.topics import partition_of
from tests.ingest.desks import KEYS
from tests.protocol.seen import SHOP, Seen

TRACK = {"type": "track", "event": "Visit"}


def test_a_batch_is_one_record_an_event_with_its_keys(ingest: Seen) -> None:
    batch = [
        TRACK | {"messageId": f"many {n}", "anonymousId": "a1", "userId": f"many {n}"} for n in range(300)
    ]
    assert ingest.client.post("/v1/batch", {"batch": batch}).body == {"success": True}
    ingest.read()
    records = {orjson.loads(record.value)["message_id"]: record for record in ingest.records}
    for sent in batch:
        record = records[sent["messageId"]]
        key = KEYS.key("user_id", sent["userId"])[0]
        assert (record.key, record.partition) == (key, partition_of(key, ingest.settings.partitions))
        assert record.headers == {"keys": f"{key} {KEYS.key('anonymous_id', 'a1')[0]}"}
        assert record.timestamp == orjson.loads(record.value)["received_at"]


def test_who_goes_away_in_the_middle_of_a_body_harms_nobody(ingest: Seen) -> None:
    with socket.create_connection(ingest.client.address) as connection:
        connection.sendall(f"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Write-Key: {SHOP}\r\n".encode())
        connection.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert ingest.client.post("/v1/track", TRACK | {"userId": "u1"}).status == 200


def test_metrics_count_events_and_reasons(ingest: Seen) -> None:
    ingest.client.post("/v1/track", b"{broken")
    page = ingest.client.get("/metrics").body.decode()
    for line in (
        "cdp_ingest_accepted_total",
        'cdp_ingest_rejected_total{reason="malformed"}',
        'cdp_ingest_requests_total{status="400"}',
        "cdp_ingest_seconds_bucket",
    ):
        assert line in page

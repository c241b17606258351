from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2

from schemas.topics import TOPICS, murmur2, partition_of


@given(st.binary(max_size=200))
def test_murmur2_is_kafkas(data: bytes) -> None:
    assert murmur2(data) == kafka_murmur2(data) & 0xFFFFFFFF


@given(st.text(max_size=60).filter(str.isprintable), st.integers(1, 4096))
def test_a_key_belongs_to_the_partition_that_every_client_computes(key: str, partitions: int) -> None:
    expected = (kafka_murmur2(key.encode()) & 0x7FFFFFFF) % partitions
    assert partition_of(key, partitions) == expected


def test_partitions_never_change() -> None:
    keys = ["user_id:f842083bdfbf36348ad7242a013c6f73", "email:edffff7ddee7d00d203de8ed5db2fc24", "tick"]
    assert [partition_of(key, 64) for key in keys] == [54, 55, 9]


def test_topics_are_as_designed() -> None:
    assert {topic.name(): topic.key for topic in TOPICS} == {
        "cdp.events.v1": "primary identifier",
        "cdp.commands.v1": "addressee identifier",
        "cdp.state.v1": "identifier",
        "cdp.definitions.v1": "name/version",
        "cdp.sources.v1": "source/NAME or plan/SOURCE/VERSION",
        "cdp.usage.v1": "day/source/process",
        "cdp.imports.v1": "file/SOURCE/HASH or rows/SOURCE/RUN/NUMBER",
        "cdp.lifecycle-changes.v1": "customer_id",
        "cdp.segment-changes.v1": "customer_id",
        "cdp.identity-changes.v1": "customer_id",
        "cdp.rejected.v1": "source",
    }
    kept = {
        topic.noun: (topic.config["cleanup.policy"], topic.config.get("retention.ms")) for topic in TOPICS
    }
    assert kept["events"] == kept["commands"] == kept["lifecycle-changes"] == ("delete", "-1")
    assert kept["state"] == kept["definitions"] == ("compact", None)
    assert kept["rejected"] == ("delete", str(30 * 24 * 3600 * 1000))
    assert TOPICS[0].name("test-1") == "test-1.events.v1"

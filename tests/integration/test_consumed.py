"""Commands that are folded are deleted from the log."""

from contextlib import closing

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from processors.consumed import MANY, Consumed
from schemas.settings import Settings
from schemas.topics import COMMANDS


def test_what_lies_below_a_position_is_deleted_once_it_is_much(deployment: Settings) -> None:
    topic = COMMANDS.name(deployment.namespace)
    here, there = TopicPartition(topic, 0), TopicPartition(topic, 1)
    with closing(KafkaProducer(bootstrap_servers=deployment.kafka)) as producer:
        for place in (here, there):
            for _ in range(MANY + 5):
                producer.send(topic, b"{}", b"user_id:ada", partition=place.partition)
        producer.flush()
    consumed = Consumed(deployment.kafka)
    with closing(KafkaConsumer(bootstrap_servers=deployment.kafka)) as reader:
        consumed.delete({here: MANY + 2, there: MANY - 1})
        assert reader.beginning_offsets([here, there]) == {here: MANY + 2, there: 0}
        consumed.delete({here: MANY + 5, there: MANY})
        assert reader.beginning_offsets([here, there]) == {here: MANY + 2, there: MANY}

"""Real Kafka and real ClickHouse on loopback, without Docker; tests start them with the same functions."""

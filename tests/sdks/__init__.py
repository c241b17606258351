"""The released SDKs, unmodified, and our snippet, against a running ingest on a real Kafka."""

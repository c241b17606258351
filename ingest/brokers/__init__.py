"""Ways in beside HTTP: what other brokers have, row by row, through the same `accept` into the log.

broker -> rows -> mapping -> accept -> log -> acknowledged to the broker
"""

"""State, events and changes become tables in ClickHouse; and every read of ClickHouse."""

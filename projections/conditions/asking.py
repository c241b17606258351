"""Runs what was compiled."""

from typing import Any

from clickhouse_driver import Client

from projections.conditions.questions import Query

SETTINGS: dict[str, Any] = {
    "max_query_size": 64 * 1024 * 1024, "max_subquery_depth": 2_000, "max_ast_depth": 10_000,
    "max_ast_elements": 10_000_000, "max_expanded_ast_elements": 10_000_000,
    "max_bytes_before_external_group_by": 500_000_000,
    "join_use_nulls": 0, "aggregate_functions_null_for_empty": 0, "transform_null_in": 0,
    "output_format_decimal_trailing_zeros": 0,
}  # fmt: skip
"""A model of some hundred definitions is a long query, and deep where they build on each other.

What a million customers' leaves need beyond half a gigabyte goes to disk. The others are what the queries rely on,
whatever a server or a user is set to.
"""


def ask(client: Client, query: Query) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    rows: list[tuple[Any, ...]] = client.execute(query.sql, query.params, settings=SETTINGS)
    return rows

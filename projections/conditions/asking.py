"""Runs what was compiled."""

from typing import Any

from clickhouse_driver import Client

from projections.conditions.questions import Query

SETTINGS = {"max_query_size": 64 * 1024 * 1024, "max_subquery_depth": 2_000, "max_ast_depth": 10_000,
            "max_ast_elements": 10_000_000, "max_expanded_ast_elements": 10_000_000}  # fmt: skip
"""A model of some hundred definitions is a long query, and deep where they build on each other."""


def ask(client: Client, query: Query) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    rows: list[tuple[Any, ...]] = client.execute(query.sql, query.params, settings=SETTINGS)
    return rows

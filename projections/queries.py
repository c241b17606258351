"""The queries that an analyst would start from, shipped with the package: `queries/*.sql`."""

from pathlib import Path
from typing import Any, NamedTuple

from projections.connect import connect, retried
from schemas.settings import Settings

FOLDER = Path(__file__).parent / "queries"
PATIENCE = 10.0


class Answer(NamedTuple):
    """What a query gave."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def names() -> list[str]:
    """Every query, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def text(name: str) -> str:
    """A query's SQL, with its comment."""
    return (FOLDER / f"{name}.sql").read_text("utf-8")


def title(name: str) -> str:
    """What a query answers: its comment."""
    lines = [line[2:].strip() for line in text(name).splitlines() if line.startswith("--")]
    return " ".join(lines)


def ask(settings: Settings, name: str) -> Answer:
    """Run one of the queries as the analysts' user; Unavailable where ClickHouse cannot be reached."""
    with connect(settings, analyst=True) as client:
        rows, columns = retried(
            settings, lambda: client.execute(text(name), with_column_types=True), PATIENCE
        )
    return Answer(tuple(column for column, _ in columns), rows)

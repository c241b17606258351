"""Questions to ClickHouse about definitions: who is in one, who would enter or leave."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from clickhouse_driver import Client, errors

from deploy.definitions.history import History
from deploy.definitions.logical import now
from deploy.definitions.names import meant
from projections import conditions
from projections.conditions import Context, Query
from projections.conditions.asking import SETTINGS
from projections.connect import LOST, connect, reason, retried, where
from schemas.errors import Unavailable
from schemas.graph import Defined, name_of, references
from schemas.portrait import Rates, Thresholds
from schemas.settings import Settings

PATIENCE = 10.0
SAMPLE = 10
BLOCK = 50_000


class Counted(NamedTuple):
    """Who is in a definition: customers by value, and some of them, (customer_id, value, identifiers)."""

    by_value: dict[str, int]
    sample: list[tuple[str, str, dict[str, list[str]]]]
    now: int


class Move(NamedTuple):
    """A customer whose label a publication changes: None where it is not carried."""

    customer_id: str
    was: str | None
    becomes: str | None


@contextmanager
def asked(settings: Settings) -> Iterator[Client]:
    """A connection to ask by; Unavailable where ClickHouse goes away, or cannot answer what it is asked."""
    try:
        with connect(settings) as client:
            yield client
    except errors.ServerException as error:
        raise Unavailable(
            reason(error), where(settings), "`cdp migrate` brings its tables up to date"
        ) from error
    except LOST as error:
        raise Unavailable(reason(error), where(settings), "is it running? `cdp status`") from error


def context_of(
    settings: Settings, history: History, definitions: Sequence[Defined], at: int | None = None
) -> Context:
    """What these definitions are asked with: the newest thresholds and rates of the log, at its logical time."""
    newest = sorted(history.definitions.values(), key=lambda each: each.version)
    thresholds = [each for each in newest if isinstance(each, Thresholds)]
    rates = [each for each in newest if isinstance(each, Rates)]
    value = next((each.name for each in definitions if each.kind == "value"), "")
    known: dict[str, Decimal] = dict(rates[-1].rates) if rates else {}
    return Context(
        now(settings) if at is None else at, history.genesis.timezone, history.genesis.currency, tuple(definitions),
        known, next((each for each in reversed(thresholds) if each.name == value), None),
    )  # fmt: skip


def named(definitions: Iterable[Defined], name: str) -> Defined:
    """The definition that is meant by kind/name, or by its name alone; ConfigError where there is none, or several."""
    found = {name_of(each): each for each in definitions}
    return found[meant(found, name, "KIND/NAME")]


def preview(settings: Settings, definition: Defined, context: Context) -> Counted:
    """How many customers it holds now, by value, and some of them."""
    with asked(settings) as client:
        found = _ask(settings, client, conditions.preview(definition, context, SAMPLE))
        some = [(str(id_), value) for value, _, ids in found for id_ in ids][:SAMPLE]
        known = identifiers(settings, client, [id_ for id_, _ in some])
    sample = [(id_, value, known.get(id_, {})) for id_, value in some]
    return Counted({value: number for value, number, _ in found}, sample, context.now)


def affected(
    before: Sequence[Defined], after: Sequence[Defined]
) -> list[tuple[Defined | None, Defined | None]]:
    """Definitions whose labels may differ: those that differ themselves, and those that need one of these.

    Each as it was and as it becomes, in alphabetical order; a lifecycle of another name is the one before it, changed.
    """
    old, new = ({_slot(each): each for each in some} for some in (before, after))
    found = {slot for slot in old.keys() | new.keys() if old.get(slot) != new.get(slot)}
    while True:
        more = {
            slot for some in (old, new) for slot, each in some.items()
            if slot not in found and any(_needed(r.kind, r.name) in found for r in references(each))
        }  # fmt: skip
        if not more:
            return [(old.get(slot), new.get(slot)) for slot in sorted(found)]
        found |= more


def moves(
    client: Client, was: Defined | None, becomes: Defined | None, context: Context, earlier: Context
) -> Iterator[Move]:
    """Every customer whose label of a definition changes with it; they stream."""
    query = conditions.difference(was, becomes, context, earlier)
    settings = {**SETTINGS, "max_block_size": BLOCK}
    for id_, before, after in client.execute_iter(query.sql, query.params, settings=settings):
        yield Move(str(id_), before, after)


def identifiers(settings: Settings, client: Client, ids: list[str]) -> dict[str, dict[str, list[str]]]:
    """What is known of these customers in clear: customer_id -> namespace -> values."""
    if not ids:
        return {}
    query = "SELECT customer_id, identifiers FROM profiles WHERE customer_id IN (SELECT toUUID(arrayJoin(%(ids)s)))"
    return {str(id_): clear for id_, clear in _ask(settings, client, Query(query, {"ids": ids}))}


def _ask(settings: Settings, client: Client, query: Query) -> list[tuple[Any, ...]]:
    return retried(settings, lambda: conditions.ask(client, query), PATIENCE)


def _slot(definition: Defined) -> str:
    return _needed(definition.kind, definition.name)


def _needed(kind: str, name: str) -> str:
    """What a reference means: of a lifecycle and a value there is one, whatever its name."""
    return kind if kind in ("lifecycle", "value") else f"{kind}/{name}"

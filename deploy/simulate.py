"""`cdp identity simulate`: the whole log under the rules in force, and under others, with nothing written anywhere."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy import terminal
from deploy.init import joined
from deploy.records import read_all
from deploy.simulated import tell
from processors.records import Unfoldable, decode, event_of, keys_of
from processors.simulation import Stated, contradictions, simulate, take
from projections.decode import compiled
from schemas import definitions
from schemas.errors import ConfigError, Unavailable
from schemas.event import STATEMENTS
from schemas.identity import IdentityRules
from schemas.settings import Settings
from schemas.topics import DEFINITIONS, EVENTS

PATIENCE = 60.0
"""Seconds without any progress after which reading is given up."""
BATCH = 10_000
MAX_KIND = 40
_STATEMENTS = frozenset(name.encode() for name in STATEMENTS)
Advance = Callable[[int, int], None]
"""Told how many offsets are read, of how many."""


class Read(NamedTuple):
    """A log as read: what it states, the identity definition of its last marker, and records that are no events."""

    stated: Stated
    in_force: str
    unreadable: int


def run(settings: Settings, file: Path | None) -> None:
    """Print what the rules make of the log; ConfigError where the file's rules cannot follow those in force."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of its warnings comes as an error
    joined(settings)
    changed = None if file is None else rules_of(file)
    console = terminal.console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("reading the log", total=None)
        read = read_log(settings, lambda done, total: progress.update(bar, completed=done, total=total))
    now = _in_force(settings, read.in_force)
    if changed is not None:
        check(now, changed, str(file))
    with console.status("finding the customers"):
        outcome = simulate(read.stated, now)
        other = None if changed is None else (changed, simulate(read.stated, changed))
    tell(console, read.stated, now, outcome, other)
    if read.unreadable:
        left_out = f"\n{read.unreadable:,} records could not be read as events and were left out"
        console.print(left_out, highlight=False)


def rules_of(file: Path) -> IdentityRules:
    """The identity rules of a file; ConfigError where it has none."""
    document = definitions.read_yaml(file)
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind != "identity":  # what else it is, whether or not it is a definition that can be
        what = "no `kind:`" if kind is None else f"`kind: {str(kind)[:MAX_KIND]}`"
        raise ConfigError(f"identity rules are needed, `kind: identity`; this has {what}", str(file))
    return definitions.validate(IdentityRules, document, str(file))


def check(now: IdentityRules, changed: IdentityRules, where: str) -> None:
    """ConfigError where keys that stand in the log would mean something else under the changed rules."""
    faults = contradictions(now, changed)
    if faults:
        what = f"these rules cannot follow {definitions.key_of(now)}: {'; '.join(faults)}"
        hint = (
            "keys stand in the log for ever: the order, names and normalisation of namespaces stay; there may be new "
            "ones, and `unique`, `shared`, `limit` and `blocked` may change"
        )
        raise ConfigError(what, where, hint)


def read_log(settings: Settings, advance: Advance = lambda *_: None) -> Read:
    """Take every event that is committed now; Unavailable where Kafka does not answer."""
    stated, in_force, unreadable = Stated(), "", 0
    for record in _records(settings, advance):
        try:
            body = decode(record)
            if record.key in _STATEMENTS:
                in_force = body["definition"] if body.get("kind") == "identity" else in_force
            else:
                take(stated, keys_of(record, record.key.decode()), event_of(body))
        except (Unfoldable, UnicodeDecodeError, AttributeError):
            unreadable += 1
    return Read(stated, in_force, unreadable)


def _records(settings: Settings, advance: Advance) -> Iterator[Any]:
    """Every record from the beginning to what is the end at the start."""
    try:
        consumer = compiled(
            KafkaConsumer(
                bootstrap_servers=settings.kafka.split(","),
                enable_auto_commit=False,
                isolation_level="read_committed",
                max_poll_records=BATCH,
                allow_auto_create_topics=False,
            )
        )
        try:
            places = [TopicPartition(EVENTS.name(settings.namespace), p) for p in range(settings.partitions)]
            consumer.assign(places)
            yield from _until(
                consumer, consumer.beginning_offsets(places), consumer.end_offsets(places), advance
            )
        finally:
            consumer.close(autocommit=False)
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error


def _until(consumer: KafkaConsumer, starts: Any, ends: Any, advance: Advance) -> Iterator[Any]:
    total, left, deadline = sum(ends.values()) - sum(starts.values()), None, time.monotonic() + PATIENCE
    for place, start in starts.items():
        consumer.seek(place, start)
    while left != 0:
        for place, records in consumer.poll(timeout_ms=200).items():
            yield from (record for record in records if record.offset < ends[place])
        behind = sum(max(0, end - consumer.position(place)) for place, end in ends.items())
        if left is None or behind < left:
            left, deadline = behind, time.monotonic() + PATIENCE
            advance(total - left, total)
        elif time.monotonic() > deadline:
            raise Unavailable(
                f"the log cannot be read to its end: {left} offsets are missing", "cdp.events.v1"
            )


def _in_force(settings: Settings, key: str) -> IdentityRules:
    found = read_all(settings, DEFINITIONS.name(settings.namespace)).get(key.encode())
    if found is None:
        raise ConfigError(
            "no identity definition is in force", DEFINITIONS.name(settings.namespace), "`cdp init`"
        )
    return IdentityRules.model_validate_json(found)

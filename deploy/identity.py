"""What an operator states of identifiers: that two are two people, or one. Each is an event in the log like any other.

    who is meant -> which pair -> event -> log; the workers read it as everything else

Nothing is moved and nothing is deleted, so each is undone by stating the opposite.
"""

import shlex
import time
import uuid
from typing import Any, Literal, NamedTuple

from kafka.errors import KafkaError

from deploy.clock import PATIENCE, writer
from deploy.known import Customer, Identifier, customer, graph, identifier
from deploy.profile import keys_of
from projections.connect import connect, retried
from schemas.errors import ConfigError, Unavailable
from schemas.event import Channel, Event
from schemas.settings import Settings
from schemas.topics import EVENTS, partition_of

NAMES = {"link": "Identifiers Linked", "split": "Identifiers Parted"}
SOURCE = "operator"
MAX_REASON = 2_000
READ_S = 10.0
Statement = dict[str, Any]
"""A row of the view `identity_links`."""


class Done(NamedTuple):
    """What was stated, what comes of it, and the command that takes it back."""

    what: str
    undo: str


def split(settings: Settings, who: str, named: str, because: str) -> Done:
    """State that an identifier is not this customer's.

    NotFound where nobody is meant, ConfigError where it is not the customer's or there is nothing to part it from.
    """
    keys, because = keys_of(settings), _reason(because)
    with connect(settings) as client:

        def find() -> tuple[Customer, Identifier, tuple[str, str]]:
            of, by = customer(client, keys, who)
            meant, statements = identifier(client, keys, named, "IDENTIFIER"), graph(client, of.root)
            _check_owner(of, meant, statements)
            return of, meant, parted(of.keys, by, meant.key, statements)

        of, meant, pair = retried(settings, find, READ_S)
    _append(settings, "split", pair, because)
    greater, lesser = (_named(key, of, meant) for key in pair)
    what = (
        f"{greater} and {lesser} are two customers from now on, for events on their way too. Each event goes with the "
        "greatest identifier that it carries; what was linked only with one of the two goes with it."
    )
    return Done(what, _command("link", greater, lesser))


def link(settings: Settings, one: str, two: str, because: str) -> Done:
    """State that two identifiers are one customer's; ConfigError where they are the same, or are none."""
    keys, because = keys_of(settings), _reason(because)
    with connect(settings) as client:

        def find() -> tuple[Identifier, Identifier]:
            return identifier(client, keys, one, "A"), identifier(client, keys, two, "B")

        ends = retried(settings, find, READ_S)
    greater, lesser = sorted(ends, key=lambda end: keys.order(end.key))
    if greater.key == lesser.key:
        raise ConfigError(f"{one} and {two} are the same identifier", "A B", "name two")
    _append(settings, "link", (greater.key, lesser.key), because)
    return Done(_outcome(greater, lesser), _command("split", greater.given, lesser.given))


def parted(members: list[str], by: str, key: str, statements: list[Statement]) -> tuple[str, str]:
    """The pair that a split states: the customer's greatest identifier and this one; the next where it is that itself.

    Where the customer was named `by` an identifier that somebody said to be one with this, their word is taken back.
    """
    if len(members) == 1:
        raise ConfigError(
            "it is the only identifier of this customer", "IDENTIFIER", "there is nothing to part"
        )
    for stated in statements:
        pair = (stated["greater"], stated["lesser"])
        if stated["kind"] == "alias" and {by, key} == set(pair):
            return pair
    return members[0], members[1] if key == members[0] else key


def _outcome(greater: Identifier, lesser: Identifier) -> str:
    what = f"{greater.given} and {lesser.given} are one customer from now on"
    unknown = [end.given for end in (greater, lesser) if end.customer_id is None]
    if unknown:
        return f"{what}; nobody is known as {' or as '.join(unknown)} yet: check it is written right"
    if greater.customer_id == lesser.customer_id:
        return f"{what}; they were already, now by your word"
    return f"{what}, unless a split stands between other identifiers of theirs: `cdp identity explain` tells"


def _check_owner(of: Customer, meant: Identifier, statements: list[Statement]) -> None:
    """ConfigError where the identifier is another's; it says so where the two were parted before."""
    if meant.key in of.keys:
        return
    where = "IDENTIFIER"
    if meant.customer_id is None:
        raise ConfigError(f"nobody is known as {meant.given}", where, f"see `cdp identity explain {of.id}`")
    apart = [s for s in statements if s["kind"] == "split" and meant.key in (s["greater"], s["lesser"])]
    if any({s["greater"], s["lesser"]} & set(of.keys) for s in apart):
        what = f"{meant.given} and customer {of.id} are two customers already"
        raise ConfigError(what, where, f"{meant.given} is of customer {meant.customer_id}")
    what = f"{meant.given} is not an identifier of customer {of.id}"
    raise ConfigError(what, where, f"it is of customer {meant.customer_id}")


def _append(settings: Settings, kind: Literal["link", "split"], pair: tuple[str, str], because: str) -> None:
    """Write the operator's event, acknowledged by every replica; Unavailable where it is not known to be there."""
    now = time.time_ns() // 1_000_000
    event = Event(
        type=kind, name=NAMES[kind], message_id=str(uuid.uuid4()), source=SOURCE, channel=Channel.SERVER,
        occurred_at=now, received_at=now, identifiers={}, properties={"because": because},
        says=("alias" if kind == "link" else "split", *pair),
    )  # fmt: skip
    with writer(settings) as producer:
        try:
            producer.send(
                EVENTS.name(settings.namespace),
                key=pair[0].encode(),
                value=event.model_dump_json().encode(),
                headers=[("keys", " ".join(pair).encode())],
                partition=partition_of(pair[0], settings.partitions),
                timestamp_ms=now,
            ).get(PATIENCE)
        except KafkaError as error:
            hint = (
                "it may be in the log or not: `cdp identity explain` tells; to state it twice harms nothing"
            )
            raise Unavailable(f"Kafka did not acknowledge it: {error}", settings.kafka, hint) from error


def _reason(because: str) -> str:
    because = because.strip()
    if not because or len(because) > MAX_REASON:
        what = f"a reason is needed, of 1 to {MAX_REASON} characters"
        raise ConfigError(what, "--because", "it stands in the log for those who ask why")
    return because


def _named(key: str, of: Customer, meant: Identifier) -> str:
    return meant.given if key == meant.key else of.names.get(key, key)


def _command(verb: str, one: str, two: str) -> str:
    return f"cdp identity {verb} {shlex.quote(one)} {shlex.quote(two)} --because TEXT"

"""What an operator states of identifiers: that two are two people, or one. Each is an event in the log like any other.

    who is meant -> which pair -> event -> log; the workers read it as everything else

Nothing is moved and nothing is deleted, so each is undone by stating the opposite.
"""

import shlex
import time
from collections.abc import Callable
from typing import NamedTuple

from deploy.known import Customer, Identifier, customer, customers, graph, identifier, pair, readable
from deploy.profile import keys_of
from deploy.reason import reason
from deploy.statement import Statement, after, append
from deploy.uniting import told, united
from projections.connect import connect, retried
from schemas.errors import ConfigError
from schemas.settings import Settings

READ_S = 10.0
ENDS = ("greater", "lesser")


Say = Callable[[str], None]


class Done(NamedTuple):
    """What was stated, what comes of it, and the command that takes it back."""

    what: str
    undo: str


def split(settings: Settings, who: str, which: str, because: str) -> Done:
    """State that an identifier is not this customer's.

    NotFound where nobody is meant, ConfigError where it is not the customer's or there is nothing to part it from.
    """
    keys, because = keys_of(settings), reason(because)
    with connect(settings) as client:

        def find() -> tuple[Customer, str, Identifier, list[Statement]]:
            of, by = customer(client, keys, who)
            return of, by, identifier(client, keys, which, "IDENTIFIER"), graph(client, of.root)

        of, by, meant, statements = retried(settings, find, READ_S)
    _check_owner(of, meant, statements)
    pair = parted(of.keys, by, meant.key, statements)
    append(settings, "split", pair, because, after(statements, pair))
    greater, lesser = (_named(key, of, meant) for key in pair)
    what = (
        f"{greater} and {lesser} are two customers from now on, for events on their way too. Each event goes with the "
        "greatest identifier that it carries; what was linked only with one of the two goes with it. The one that "
        "never came without the other is nobody until it is seen by itself."
    )
    return Done(what, _command("link", greater, lesser))


def link(settings: Settings, one: str, two: str, because: str, say: Say = lambda _: None) -> Done:
    """State that two identifiers are one customer's; `say` is told before who becomes one by it.

    ConfigError where they are the same, or are none.
    """
    keys, because = keys_of(settings), reason(because)
    with connect(settings) as client:
        (greater, lesser), statements, whose = retried(settings, lambda: pair(client, keys, one, two), READ_S)
        if greater.key == lesser.key:
            raise ConfigError(f"{one} and {two} are the same identifier", "A B", "name two")
        stated = greater.key, lesser.key
        at_ms = max(time.time_ns() // 1_000_000, after(statements, stated))
        become = united(keys.rules, whose, statements, stated, at_ms)
        known = [*become, *(end.customer_id for end in (greater, lesser) if end.customer_id)]
        who = {each.id: each for each in retried(settings, lambda: customers(client, keys, known), READ_S)}
    if len(become) > 1:
        say(told([who[id_] for id_ in become if id_ in who]))
    append(settings, "link", stated, because, at_ms)
    clear = {key: name for each in who.values() for key, name in each.names.items() if name.isprintable()}
    greater, lesser = readable(greater, clear), readable(lesser, clear)
    apart = [(clear.get(a, a), clear.get(b, b)) for a, b in standing(statements, greater, lesser)]
    return Done(_outcome(greater, lesser, apart), _command("split", greater.given, lesser.given))


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


def standing(statements: list[Statement], greater: Identifier, lesser: Identifier) -> list[tuple[str, str]]:
    """Other pairs of these two customers that were said to be two, and keep them apart whatever is linked."""
    customers = {greater.customer_id, lesser.customer_id}
    found = []
    for stated in statements:
        pair, owners = (
            (stated["greater"], stated["lesser"]),
            {str(stated[f"{end}_customer_id"]) for end in ENDS},
        )
        if stated["kind"] == "split" and owners == customers and pair != (greater.key, lesser.key):
            found.append(pair)
    return found


def _outcome(greater: Identifier, lesser: Identifier, apart: list[tuple[str, str]]) -> str:
    if apart:
        lift = "; ".join(_command("link", *pair) for pair in apart)
        return f"stated, but they stay two customers until what else parts them is taken back too: {lift}"
    what = f"{greater.given} and {lesser.given} are one customer from now on"
    unknown = [end.given for end in (greater, lesser) if end.customer_id is None]
    if unknown:
        return f"{what}; nobody is known as {' or as '.join(unknown)} yet: check it is written right"
    if greater.customer_id == lesser.customer_id:
        return f"{what}; they were already, now by your word"
    return what


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


def _named(key: str, of: Customer, meant: Identifier) -> str:
    """What an operator can read and type: the clear value, but the key where that has characters of control."""
    name = meant.given if key == meant.key else of.names.get(key, key)
    return name if name.isprintable() else key


def _command(verb: str, one: str, two: str) -> str:
    return f"cdp identity {verb} {shlex.quote(one)} {shlex.quote(two)} --because TEXT"

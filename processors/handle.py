"""The one pure function: everything that the platform knows of a customer comes from here.

    event -> seen before? -> what fell due before it -> facts -> links -> customers -> stage

No I/O, no wall clock, no randomness. `handle` takes over the state that it is given and gives it back changed: a caller
that wants to keep the old one hands in a copy.
"""

from processors.messages import Arrived, Definitions, Due, Message, Output, Redefined
from processors.rules.customers import groups
from processors.rules.facts import fold
from processors.rules.links import note
from processors.rules.seen import digest_of, is_duplicate
from processors.rules.stage import TIME, advance, evaluate, is_settled
from schemas.facts import new_part
from schemas.state import FORMAT, Cluster, State


def handle(state: State | None, message: Message, definitions: Definitions) -> tuple[State, list[Output]]:
    """The state after a message, and what it makes happen elsewhere.

    BooksFull where the event states more business objects than a customer may have: the state must be dropped then.
    """
    cluster = new_cluster(message.key) if state is None else state
    if cluster["kind"] == "link":
        msg = "no command makes links yet"
        raise NotImplementedError(msg)
    match message:
        case Arrived():
            return _event(cluster, message, definitions)
        case Due():
            outputs: list[Output] = [*advance(cluster, message.at, definitions)]
        case Redefined():
            outputs = [*advance(cluster, message.at, definitions)]
            published = sum(customer["sequence"] for customer in cluster["published"].values())
            cause = f"{message.definition}/{message.at}/{published}"  # back and forth at one time are not the same
            outputs += evaluate(cluster, definitions, TIME, cluster["at"], cause)
    cluster["rev"] += 1
    return cluster, outputs


def _event(cluster: Cluster, message: Arrived, definitions: Definitions) -> tuple[State, list[Output]]:
    key, keys, event, clock_at = message
    part, digest = cluster["parts"].get(key), digest_of(event)
    if is_duplicate(cluster, part, event, digest):
        return cluster, []
    at = event["occurred_at"]
    outputs: list[Output] = []
    now = max(clock_at, at)
    if now > cluster["at"]:
        outputs += advance(cluster, now, definitions)
    known = part is not None and part["own_last"] is not None
    if part is None:
        part = cluster["parts"][key] = new_part(at)
    fold(part, event, digest, definitions.calendar)
    if len(keys) > 1:
        note(cluster, keys, event)
    known = known and not part["other_names"]  # a name that is forgotten could be one of a condition
    if not is_settled(cluster, known, event["name"], definitions):
        _view(cluster)
        cause = f"{event['source']}/{event['message_id']}"
        outputs += evaluate(cluster, definitions, cause, at, f"{cause}/{event['received_at']}")
    cluster["rev"] += 1
    return cluster, outputs


def _view(cluster: Cluster) -> None:
    """Bring `published` to today's customers; those that are new have no stage yet."""
    if cluster["published"]:
        return
    for customer, members in groups(cluster).items():
        cluster["published"][customer] = {
            "members": list(members), "stage": None, "stage_since": cluster["at"], "lifecycle": "", "sequence": 0,
        }  # fmt: skip


def new_cluster(key: str) -> Cluster:
    """A cluster of one identifier of which nothing is known."""
    return {
        "v": FORMAT, "kind": "cluster", "members": [key], "parts": {}, "links": {}, "said": {}, "published": {},
        "seen": {}, "seen_overflow": 0, "at": -(2**53), "due_at": None, "aged": False, "rev": 0,
    }  # fmt: skip

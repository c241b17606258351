"""The one pure function: everything that the platform knows of a customer comes from here.

    event -> seen before? -> what fell due before it -> facts, leaves -> links -> customers -> stage, labels

Every identifier is an actor: nothing yet, the root of a cluster, or a Link to one. What happens at a Link goes on to
its owner; how roots unite is told in `rules/uniting.py`. No I/O, no wall clock, no randomness. `handle` takes over the
state that it is given and gives it back changed: a caller that wants to keep the old one hands in a copy.
"""

from processors.identifiers import ends
from processors.messages import Arrived, Command, Definitions, Message, Output, Redefined, Told
from processors.portrait.index import NOTHING, before, touched
from processors.rules import remembered, uniting
from processors.rules.evaluation import advance, evaluate_all, evaluate_first, evaluate_touched
from processors.rules.facts import fold
from processors.rules.identity_changes import Cause
from processors.rules.links import note, one_too_many, statements, when_of
from processors.rules.published import review
from processors.rules.seen import digest_of, is_booked, was_seen
from processors.rules.why import TIME, Why
from schemas.commands import VERSION, Deliver
from schemas.event import BY_OPERATORS, EventBody
from schemas.facts import new_part
from schemas.leaves import LeafStates
from schemas.state import FORMAT, Cluster, State


def handle(
    state: State | None, message: Message, definitions: Definitions
) -> tuple[State | None, list[Output]]:
    """The state after a message, and what it makes happen elsewhere. What a bot sent changes nothing, for anybody.

    BooksFull where the event states more business objects than a customer may have: the state must be dropped then.
    """
    if isinstance(message, Arrived):
        if message.event.get("bot"):
            return state, []
        return _arrived(new_cluster(message.key) if state is None else state, message, definitions)
    if isinstance(message, Told):
        return _told(state, message, definitions)
    if state is None or state["kind"] == "link":
        return state, []
    outputs: list[Output] = [*advance(state, message.at, definitions)]
    if isinstance(message, Redefined):
        outputs += _redefined(state, message, definitions)
    state["rev"] += 1
    return state, outputs


def _arrived(state: State, message: Arrived, definitions: Definitions) -> tuple[State, list[Output]]:
    """An event at home: dropped if seen here, else folded, or sent on where this is a Link."""
    key, keys, event, clock_at = message
    digest = digest_of(event)
    if was_seen(state, event, digest):
        return state, []
    states, failed = remembered.stated(event, definitions)
    if state["kind"] == "link":
        state["rev"] += 1
        deliver = {
            "v": VERSION, "kind": "deliver", "keys": keys, "event": event, "clock_at": clock_at,
            **({"leaves": states} if states else {}),
        }  # fmt: skip
        return state, [Command(state["owner"], deliver), *failed]
    outputs = _event(state, key, keys, event, digest, states, clock_at, definitions)
    outputs += failed
    return state, outputs


def _told(state: State | None, message: Told, definitions: Definitions) -> tuple[State | None, list[Output]]:
    """A command; all but `relink` follow a Link, and find a root where nothing is yet."""
    key, command, clock_at = message
    if command["kind"] == "relink":
        return state, uniting.relink(state, command["owner"], definitions.identifiers)
    if state is None:
        state = new_cluster(key)
    if state["kind"] == "link":
        return state, [Command(state["owner"], command)]
    answer: tuple[State, list[Output]]
    match command["kind"]:
        case "deliver":
            at = max(clock_at, command["clock_at"])
            answer = state, _delivered(state, key, command, at, definitions)
        case "backfill":
            answer = state, remembered.backfill(state, key, command, definitions)
        case "claim":
            answer = uniting.claim(state, key, command, definitions)
        case "refuse":
            answer = uniting.refused(state, key, command, definitions)
        case "release":
            answer = uniting.released(state, key, command, definitions)
        case "absorb":
            answer = uniting.absorb(state, key, command, clock_at, definitions)
    return answer


def _delivered(
    cluster: Cluster, root: str, command: Deliver, at: int, definitions: Definitions
) -> list[Output]:
    """An event that a Link sent on.

    Where it came before the books that know whether it is a copy, which are on their way to here, it waits its turn;
    not for ever, for should they never come it would be lost.
    """
    event, keys, waited = command["event"], command["keys"], command.get("waited", 0)
    if is_booked(event) and keys[0] not in cluster["members"] and waited < remembered.MAX_WAITS:
        return [Command(root, {**command, "waited": waited + 1})]
    states = command.get("leaves", {})
    return _event(cluster, root, keys, event, digest_of(event), states, at, definitions)


def _event(
    cluster: Cluster,
    root: str,
    keys: list[str],
    event: EventBody,
    digest: str,
    states: LeafStates,
    clock_at: int,
    definitions: Definitions,
) -> list[Output]:
    """Fold an event, with what it states to leaves, into its primary identifier's part, in the cluster of this root."""
    at, part = event["occurred_at"], cluster["parts"].get(keys[0])
    if part is not None and is_booked(event) and digest in part["books"]["messages"]:
        return []
    outputs: list[Output] = []
    now = max(clock_at, at)
    if now > cluster["at"]:
        outputs += advance(cluster, now, definitions)
    view, ids = part is None, NOTHING
    if event["type"] not in BY_OPERATORS:
        if part is None:
            part = cluster["parts"][keys[0]] = new_part(at)
        was = before(part, event["name"])
        fold(part, keys, event, digest, definitions.calendar)
        if states:
            remembered.remember(part, states)
        several = len(cluster["parts"]) > 1
        ids = touched(definitions.portrait.touching, was, part, event, states, cluster["aged"], several)
    if len(keys) > 1:
        linked, claims = _links(cluster, root, keys, event, definitions)
        view = view or (linked and len(cluster["members"]) > 1)
        outputs += claims
    cluster["rev"] += 1
    if view or ids:
        cause = f"{event['source']}/{event['message_id']}"
        why = Why(cause, at, f"{cause}/{event['received_at']}")
        if view:
            known = bool(cluster["published"])
            outputs += review(cluster, definitions.identifiers, Cause(at, cause))
            if known or len(cluster["published"]) != 1 or len(cluster["members"]) > 1:
                outputs += evaluate_all(cluster, definitions, why)
            else:
                outputs += evaluate_first(cluster, definitions, why, ids)
        else:
            outputs += evaluate_touched(cluster, definitions, why, keys[0], ids)
    return outputs


def _links(
    cluster: Cluster, root: str, keys: list[str], event: EventBody, definitions: Definitions
) -> tuple[bool, list[Output]]:
    """Note what the event states of its identifiers: (whether the view may change, claims on those not here)."""
    when, view, claims = when_of(event), False, list[Output]()
    for pair, says in statements(keys, event):
        own, other = ends(pair)
        if one_too_many(cluster, pair, definitions.identifiers):
            continue
        news, changed = note(cluster, pair, when, says, own, definitions.identifiers)
        view = view or changed
        if news and own == keys[0] and other not in cluster["members"]:
            claims.append(uniting.claim_of(cluster, root, other, pair, when, says, definitions.identifiers))
    return view, claims


def _redefined(cluster: Cluster, message: Redefined, definitions: Definitions) -> list[Output]:
    told = (one["sequence"] + one.get("label_sequence", 0) for one in cluster["published"].values())
    cause = f"{message.definition}/{message.at}/{sum(told)}"  # back and forth at one time are not the same
    outputs: list[Output] = [*review(cluster, definitions.identifiers, Cause(message.at, cause))]
    remembered.prune(cluster, definitions)
    why = Why(TIME, cluster["at"], cause, message.definition)
    return outputs + evaluate_all(cluster, definitions, why)


def new_cluster(key: str) -> Cluster:
    """A cluster of one identifier of which nothing is known."""
    return {
        "v": FORMAT, "kind": "cluster", "members": [key], "parts": {}, "links": {}, "said": {}, "refused": {},
        "published": {}, "seen": {}, "seen_overflow": 0, "at": -(2**53), "due_at": None, "aged": False, "rev": 0,
    }  # fmt: skip

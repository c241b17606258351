"""What the conditions in force must remember of events, beside the facts: stated at home, joined at the root."""

from processors.messages import Backfilled, Command, Definitions, Failed, Output
from processors.portrait.deltas import deltas
from processors.rules.evaluation import evaluate_all
from processors.rules.why import TIME, Why
from schemas.commands import Backfill
from schemas.event import BY_OPERATORS, EventBody
from schemas.facts import Part
from schemas.leaves import LeafStates, join
from schemas.state import Cluster

MAX_WAITS = 1_000
"""Times that a command is put off; each takes a transaction."""


class NoPart(Exception):
    """Nothing is known of the identifier whose past is told to a model, and nothing came."""

    def __init__(self, primary: str, model: str) -> None:
        super().__init__(f"no event of {primary} was ever folded")
        self.model = model


def stated(event: EventBody, definitions: Definitions) -> tuple[LeafStates, list[Failed]]:
    """What an event states to the leaves in force where it arrives, and the definitions whose leaves failed on it."""
    if event["name"] not in definitions.leaves.by_name or event["type"] in BY_OPERATORS:
        return {}, []
    failed = list[str]()
    states = deltas(event, definitions.leaves, failed)
    of = definitions.portrait.touching.leaves
    return states, [Failed(name) for key in failed for name in sorted(of.get(key, (key,)))]


def remember(part: Part, states: LeafStates) -> None:
    """Join what was stated to a part."""
    join(part.setdefault("leaves", {}), states)


def backfill(cluster: Cluster, root: str, command: Backfill, definitions: Definitions) -> list[Output]:
    """Join what past events state to their part; put off while that is on its way to here. NoPart if it never comes."""
    part, waited = cluster["parts"].get(command["primary"]), command.get("waited", 0)
    if part is None and waited < MAX_WAITS:
        return [Command(root, {**command, "waited": waited + 1})]
    if part is None:
        raise NoPart(command["primary"], command["model"])
    remember(part, command["leaves"])
    cluster["rev"] += 1
    model = command["model"]
    outputs: list[Output] = [Backfilled(model)]
    if number_of(model) == definitions.model:
        why = Why(TIME, cluster["at"], f"{model} {command['primary']}", model)
        outputs += evaluate_all(cluster, definitions, why)
    return outputs


def prune(cluster: Cluster, definitions: Definitions) -> None:
    """Forget what models up to the one in force needed, and it does not."""
    for part in cluster["parts"].values():
        leaves = part.get("leaves", {})
        for key in [key for key in leaves if key not in definitions.kept]:
            if int(key.rpartition(".")[2]) <= definitions.model:
                del leaves[key]
        if not leaves:
            part.pop("leaves", None)


def number_of(model: str) -> int:
    """The number of a model: `model/main/7` is 7."""
    return int(model.rpartition("/")[2])

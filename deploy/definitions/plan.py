"""What a publication changes: the model that is, and the definitions that shall be, to the model that follows. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from deploy.definitions.names import meant
from processors.portrait.model import leaves as leaves_of
from schemas.definitions import Definition, key_of
from schemas.errors import ConfigError
from schemas.graph import KINDS, Defined, name_of
from schemas.leaves import Leaf
from schemas.portrait import Model

Definitions = Mapping[str, Definition]
"""Every definition of the log, by key."""


HINT = "what changes takes a new version: give the next, or leave `version:` out and it is taken by itself"


class Step(NamedTuple):
    """One definition that is another, or new, or no more: its versions before and after."""

    name: str
    before: int | None
    after: int | None

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            return f"{self.name} is {'new' if self.before is None else 'no more'}"
        return f"{self.name} {self.before} -> {self.after}"


class Plan(NamedTuple):
    """`model` follows the one that is in force; `new`: definitions that the log lacks; `leaves`: those to backfill."""

    model: Model
    definitions: tuple[Defined, ...]
    new: tuple[Defined, ...]
    leaves: Mapping[str, Leaf]
    steps: tuple[Step, ...]


def plan(
    known: Definitions, now: Model | None, wanted: Iterable[Defined], because: str | None, number: int
) -> Plan:
    """What it takes to put these definitions in force, as the model of this number; nothing to do where no steps.

    ConfigError where a version stands in the log with another content, or is older than one that does.
    """
    wanted = sorted(wanted, key=lambda each: (KINDS.index(each.kind), each.name))
    faults = [fault for each in wanted if (fault := _fault(each, known))]
    if faults:
        raise ConfigError("\n  ".join(faults), "version", HINT)
    before = {} if now is None else now.leaves
    leaves = leaves_of(wanted)
    model = Model.model_validate(
        {
            "kind": "model", "version": number, "because": because,
            "definitions": tuple(map(key_of, wanted)),
            "leaves": {digest: before.get(digest, number) for digest in sorted(leaves)},
        }
    )  # fmt: skip
    new = tuple(each for each in wanted if key_of(each) not in known)
    missing = {digest: leaf for digest, leaf in leaves.items() if digest not in before}
    return Plan(model, tuple(wanted), new, missing, steps(now, model))


def steps(before: Model | None, after: Model) -> tuple[Step, ...]:
    """What one model has that another had not, in alphabetical order."""
    old, new = versions(before), versions(after)
    names = sorted(old.keys() | new.keys())
    return tuple(Step(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def versions(model: Model | None) -> dict[str, int]:
    """`segment/vip` -> 3."""
    keys = () if model is None else model.definitions
    return {name: int(version) for name, _, version in (key.rpartition("/") for key in keys)}


def standing(known: Definitions, model: Model) -> list[Defined]:
    """The definitions of a model; ConfigError where the log lacks one."""
    found = [known.get(key) for key in model.definitions]
    if any(each is None for each in found):
        raise ConfigError(f"{key_of(model)} names what the log lacks", "cdp.definitions.v1")
    return [each for each in found if isinstance(each, Defined)]


def rolled_back(known: Definitions, models: Iterable[Model], now: Model, name: str) -> list[Defined]:
    """The definitions in force, with this one in the latest earlier version that was, or without it.

    ConfigError where it is not in force, or there must be one and there is none before.
    """
    there = versions(now)
    name = meant(there, name, "KIND/NAME", "{} is not in force")
    earlier = [version for model in models if (version := versions(model).get(name, 0)) < there[name]]
    previous = max(earlier, default=0)
    if not previous and name.startswith("lifecycle/"):
        raise ConfigError(f"{name} has no earlier version", "KIND/NAME", "a customer is always in a stage")
    keys = [key for key in now.definitions if not key.startswith(f"{name}/")]
    keys += [f"{name}/{previous}"] if previous else []
    return standing(known, now.model_copy(update={"definitions": tuple(keys)}))


def versioned(
    known: Definitions, now: Model | None, wanted: Iterable[Defined], free: Collection[str]
) -> list[Defined]:
    """The definitions, those of these names, whose files give no version, with theirs.

    It is the one in force, or else the newest of the log, where that says the same; else the one after the newest.
    """
    current = versions(now)
    return [
        _versioned(each, known, current.get(name_of(each), 0)) if name_of(each) in free else each
        for each in wanted
    ]


def _versioned(definition: Defined, known: Definitions, current: int) -> Defined:
    newest = _newest(known, definition)
    for version in (current, newest):
        same = definition.model_copy(update={"version": version})
        if known.get(key_of(same)) == same:
            return same
    return definition.model_copy(update={"version": newest + 1})


def _newest(known: Definitions, definition: Defined) -> int:
    """The greatest version of its name that the log has; 0 where it has none."""
    name = f"{name_of(definition)}/"
    return max((int(key.rpartition("/")[2]) for key in known if key.startswith(name)), default=0)


def _fault(definition: Defined, known: Definitions) -> str | None:
    key, newest = key_of(definition), _newest(known, definition)
    there = known.get(key)
    if there == definition:
        return None
    if there is not None:
        return f"{key} is in the log with another content: the next version is {newest + 1}"
    if newest > definition.version:
        return f"{key}: the log has version {newest} already: the next is {newest + 1}"
    return None

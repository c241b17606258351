"""What definitions are made of each other: their references, an order in which each comes after what it needs, faults.

Within one evaluation the answer of a definition may need that of others: membership of a segment, a role, a tag, the
stage, the value tier. So they have an order, and no cycle. A fault names definition and node, as
`segment/vip: when.all.1.segment: no segment named x`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from schemas.conditions import (
    MAX_DEPTH,
    All,
    Any_,
    Condition,
    HasRole,
    InSegment,
    InStage,
    Not,
    Score,
    Tagged,
    Tier,
    operator_of,
)
from schemas.lifecycle import Lifecycle
from schemas.portrait import Role, Segment, TagRules, Value

Defined = Lifecycle | Value | Role | TagRules | Segment
"""What a model puts together; at most one lifecycle and one value."""
KINDS: tuple[str, ...] = ("value", "lifecycle", "role", "tag", "segment")
"""In the order in which definitions stand where nothing else orders them."""
_ONLY = ("value", "lifecycle")


class Reference(NamedTuple):
    """A node that needs another definition: its name ("" of a kind that is there once), and the labels it asks for."""

    place: str
    kind: str
    name: str = ""
    labels: tuple[str, ...] = ()


def name_of(definition: Defined) -> str:
    """`segment/vip`."""
    return f"{definition.kind}/{definition.name}"


def conditions_of(definition: Defined) -> list[tuple[str, Condition]]:
    """Its conditions, each with its place in the definition; a value has none."""
    match definition:
        case Segment() | Role():
            return [("when", definition.when)]
        case TagRules():
            return [(f"values.{n}.when", value.when) for n, value in enumerate(definition.values)]
        case Lifecycle():
            return [
                (f"stages.{n}.when", rule.when)
                for n, rule in enumerate(definition.stages)
                if rule.when is not None
            ]
        case Value():
            return []


def places_of(condition: Condition, place: str) -> Iterator[tuple[str, Condition]]:
    """The condition and all that it is made of, each with its place, before its own parts."""
    yield place, condition
    if isinstance(condition, Not):
        yield from places_of(condition.not_, f"{place}.not")
    elif isinstance(condition, All | Any_):
        parts = condition.all if isinstance(condition, All) else condition.any
        for number, part in enumerate(parts):
            yield from places_of(part, f"{place}.{operator_of(condition)}.{number}")


def references(definition: Defined) -> Iterator[Reference]:
    """What it needs of others, in the order of its text."""
    for start, condition in conditions_of(definition):
        for place, node in places_of(condition, start):
            found = _reference(place, node)
            if found is not None:
                yield found


def faults(definitions: Iterable[Defined], unread: Collection[str] = ()) -> list[str]:
    """Why these cannot be in force together; nothing where they can.

    `unread`: names of others that are there, and have faults of their own.
    """
    known = sorted(definitions, key=_place)
    found = [*_twice(known), *(fault for each in known for fault in _deep(each))]
    found += [fault for each in known for fault in _unknown(each, known, unread)]
    return found or _cycle(known)


def ordered(definitions: Iterable[Defined]) -> list[Defined]:
    """Each after all that it needs, the same for the same definitions; graphlib.CycleError where they have `faults`."""
    by_name = {name_of(each): each for each in sorted(definitions, key=_place)}
    return [by_name[name] for name in _sorter(list(by_name.values())).static_order()]


def _reference(place: str, node: Condition) -> Reference | None:
    found: Reference | None = None
    match node:
        case InSegment():
            found = Reference(f"{place}.segment", "segment", node.segment)
        case HasRole():
            found = Reference(f"{place}.role", "role", node.role)
        case Tagged():
            found = Reference(f"{place}.tag", "tag", node.tag.name, node.tag.is_ or ())
        case Tier():
            found = Reference(f"{place}.tier", "value", labels=node.tier)
        case Score():
            found = Reference(f"{place}.score", "value")
        case InStage():
            found = Reference(f"{place}.stage", "lifecycle")
    return found


def _meant(reference: Reference, known: list[Defined]) -> Defined | None:
    for each in known:
        if _names(reference, each.kind, each.name):
            return each
    return None


def _names(reference: Reference, kind: str, name: str) -> bool:
    return kind == reference.kind and reference.name in ("", name)


def _unknown(definition: Defined, known: list[Defined], unread: Collection[str]) -> Iterator[str]:
    for reference in references(definition):
        meant, where = _meant(reference, known), f"{name_of(definition)}: {reference.place}"
        if meant is None:
            if any(_names(reference, *each.partition("/")[::2]) for each in unread):
                continue
            named = f"{reference.kind} named {reference.name}" if reference.name else reference.kind
            yield f"{where}: no {named}"
            continue
        there = _labels(meant)
        for number, label in enumerate(reference.labels):
            if label not in there:
                inner = f"is.{number}" if reference.kind == "tag" else number
                yield f"{where}.{inner}: {name_of(meant)} has no {label}, but {', '.join(there)}"


def _labels(definition: Defined) -> tuple[str, ...]:
    if isinstance(definition, TagRules):
        return tuple(value.value for value in definition.values)
    return tuple(each.tier for each in definition.tiers) if isinstance(definition, Value) else ()


def _twice(known: list[Defined]) -> Iterator[str]:
    for name, number in Counter(map(name_of, known)).items():
        if number > 1:
            yield f"{name}: is there {number} times, in versions or files"
    for kind in _ONLY:
        names = sorted({name_of(each) for each in known if each.kind == kind})
        if len(names) > 1:
            yield f"{names[1]}: there is one {kind}, and it is {names[0]}"


def _deep(definition: Defined) -> Iterator[str]:
    for start, condition in conditions_of(definition):
        for place, _ in places_of(condition, start):
            inner = place.removeprefix(start).split(".")
            if sum(not part.isdigit() for part in inner[1:]) == MAX_DEPTH:
                yield f"{name_of(definition)}: {place}: conditions are nested {MAX_DEPTH} deep at most"


def _sorter(known: list[Defined]) -> "TopologicalSorter[str]":
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for each in known:
        needed = [meant for reference in references(each) if (meant := _meant(reference, known))]
        sorter.add(name_of(each), *dict.fromkeys(map(name_of, needed)))
    return sorter


def _cycle(known: list[Defined]) -> list[str]:
    try:
        _sorter(known).prepare()
    except CycleError as error:
        names: list[str] = error.args[1][:0:-1]  # each after what it needs, the first also last
        least = names.index(min(names))
        round_ = [*names[least:], *names[: least + 1]]
        first = next(each for each in known if name_of(each) == round_[0])
        place = next(
            r.place for r in references(first) if (to := _meant(r, known)) and name_of(to) == round_[1]
        )
        return [f"{round_[0]}: {place}: a cycle, {' -> '.join(round_)}"]
    return []


def _place(definition: Defined) -> tuple[int, str]:
    return KINDS.index(definition.kind), definition.name

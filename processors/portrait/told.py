"""Which of a customer's events a leaf remembers, and the chains that those of a sequence make."""

from typing import Any, NamedTuple

from processors.portrait.compiled import Context
from processors.portrait.deltas import deltas, leaf_index
from processors.portrait.history import Happened
from processors.portrait.subject import Subject
from schemas import conditions as c
from schemas.leaves import MAX_TIMES, Leaf
from schemas.remembered import leaves_of

Sample = list[Happened]


class Told(NamedTuple):
    """An event that a leaf remembers, and what it states to it."""

    happened: Happened
    states: Any


class Asked(NamedTuple):
    """Of whom a node is asked: the events that are there, the oldest first, and the facts that they make."""

    events: Sample
    who: Subject
    context: Context
    frequency: c.DidOf | None  # of the value in force


def told(leaf: Leaf, asked: Asked) -> list[Told]:
    """The events that a leaf remembers, of its window."""
    index, calendar = leaf_index([(leaf, "it")], asked.context.calendar), asked.context.calendar
    after = asked.who.today - leaf.days if leaf.days else None
    return [
        Told(happened, states["it"]["b"])
        for happened in asked.events
        if (after is None or calendar.day_of(happened.event["occurred_at"]) > after)
        and (states := deltas(happened.event, index))
    ]


def remembered(node: c.Condition, asked: Asked) -> list[Told]:
    """The events that the one leaf of a node remembers."""
    (leaf,) = leaves_of(node)
    return told(leaf, asked)


def spanned(of: c.TimeOf, asked: Asked) -> list[Told]:
    """The events of which first and last times are told."""
    return told(Leaf("span", of.event, of.where), asked)


def happened(of: list[Told]) -> Sample:
    """The events themselves."""
    return [each.happened for each in of]


def chains(node: c.Sequence, found: list[list[Told]]) -> Sample:
    """A chain of the steps, another of what is left without it, and so on."""
    gone, events = set[int](), list[Happened]()
    while chain := chain_of(node, [[t for t in step if id(t.happened) not in gone] for step in found]):
        gone |= {id(happened) for happened in chain}
        events += chain
    return events


def chain_of(node: c.Sequence, found: list[list[Told]]) -> Sample:
    """The events of the first chain that holds, by what each leaf of the node remembers; none where none does."""
    of, steps = node.sequence, len(node.sequence.steps)
    times = [[(t.happened.event["occurred_at"], t.happened) for t in step][-MAX_TIMES:] for step in found]
    without = [at for step in times[steps:] for at, _ in step]
    for begun, first in times[0]:
        at, chain = begun, [first]
        for step in times[1:steps]:
            following = next(((t, h) for t, h in step if t > at), None)
            if following is None:
                break
            at = following[0]
            chain.append(following[1])
        else:
            if at - begun <= of.within.ms and not any(begun < t < at for t in without):
                return chain
    return []

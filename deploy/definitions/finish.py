"""Putting a model in force, from wherever its publication is.

    collecting marker -> what was before it, backfilled -> joined by the workers -> model marker -> passed

Each arrow is a transaction that also tells how far it is (`schemas/publication.py`), so whoever publishes next after a
kill goes on exactly there.
"""

from collections.abc import Callable, Mapping, Sequence

from deploy.definitions.backfill import batches, index_of
from deploy.definitions.plan import Definitions, Plan
from deploy.definitions.plan import standing as standing_in
from deploy.definitions.publisher import Publisher
from deploy.definitions.standing import Standing, missing
from deploy.progress import wait
from processors.portrait.model import leaves as leaves_of
from projections.connect import connect
from projections.stated import stated
from schemas.definitions import key_of
from schemas.leaves import Leaf
from schemas.portrait import Model
from schemas.publication import Publication
from schemas.settings import Settings

MOST_BEHIND = 40_000
"""Backfill commands that workers have yet to deal with: live events of linked identifiers wait behind them."""
Tell = Callable[[str, int], None]
"""Told what is waited for or done, and a number: how much of it is left, or done."""


def begin(writer: Publisher, made: Plan) -> Publication:
    """Definitions, model and markers; in force at once where nothing new is to be remembered."""
    model = key_of(made.model)
    with writer.transaction():
        writer.define([*made.new, made.model])
        if made.leaves:
            publication = Publication(model=model, below=writer.mark("collecting", model))
        else:
            publication = Publication(model=model, complete=True, marked=writer.mark("model", model))
        writer.note(publication)
    return publication


def finish(
    settings: Settings,
    writer: Publisher,
    at: Standing,
    known: Definitions,
    model: Model,
    publication: Publication,
    tell: Tell,
) -> None:
    """Go on with a publication from where it is until its model is in force everywhere."""
    if not publication.marked:
        if not publication.complete:
            _wait_for_past(at, publication, tell)
            publication = _backfill(settings, writer, at, _new_leaves(known, model), publication, tell)
        _wait_until_joined(at, publication, 0, tell)
        with writer.transaction():
            publication = publication.model_copy(update={"marked": writer.mark("model", publication.model)})
            writer.note(publication)
    _wait_until_passed(at, publication, tell)


def _wait_until_passed(at: Standing, publication: Publication, tell: Tell) -> None:
    """Return when every partition has the model in force."""
    _wait_until_folded(at, publication.marked, "partitions come to the new model, offsets left", tell)


def _wait_until_folded(at: Standing, markers: Sequence[int], what: str, tell: Tell) -> None:
    upto = {partition: offset + 1 for partition, offset in enumerate(markers)}
    wait(
        lambda: missing(at.folded(), upto), "the workers do not fold", "worker-1", lambda left: tell(what, left),
        lambda: at.state_ends(upto),
    )  # fmt: skip


def _wait_for_past(at: Standing, publication: Publication, tell: Tell) -> None:
    """Until ClickHouse has the events below the markers, and what of them was rejected."""
    _wait_until_folded(at, publication.below, "workers fold what was before, offsets left", tell)
    below, rejected = dict(enumerate(publication.below)), at.ends("rejected")
    wait(
        lambda: missing(at.written("events"), below) + missing(at.written("rejected"), rejected),
        "the sink does not write", "sink", lambda left: tell("ClickHouse takes what was before, offsets left", left),
    )  # fmt: skip


def _backfill(
    settings: Settings,
    writer: Publisher,
    at: Standing,
    leaves: Mapping[str, Leaf],
    publication: Publication,
    tell: Tell,
) -> Publication:
    """Send what past events state to the model's new leaves, a transaction a batch."""
    index = index_of(leaves, int(publication.model.rpartition("/")[2]), settings.timezone)
    names = {name for leaf in leaves.values() for name in leaf.events}
    with connect(settings) as client:
        events = stated(client, settings, names, publication.below, publication.after)
        for batch in batches(events, index, publication.model):
            sent = publication.sent + len(batch.commands)
            with writer.transaction():
                publication = publication.model_copy(update={"sent": sent, "after": batch.upto})
                writer.command(batch.commands)
                writer.note(publication)
            tell("backfilled identifiers", sent)
            _wait_until_joined(at, publication, MOST_BEHIND, tell)
    with writer.transaction():
        publication = publication.model_copy(update={"complete": True})
        writer.note(publication)
    return publication


def _new_leaves(known: Definitions, model: Model) -> dict[str, Leaf]:
    """The leaves that are remembered since this model, by digest."""
    needed = leaves_of(standing_in(known, model))
    return {digest: leaf for digest, leaf in needed.items() if model.leaves[digest] == model.version}


def _wait_until_joined(at: Standing, publication: Publication, most: int, tell: Tell) -> None:
    wait(
        lambda: max(0, publication.sent - at.joined(publication.model) - most), "the workers do not fold", "worker-1",
        lambda left: tell("workers join what was sent, commands left", left + most),
    )  # fmt: skip

"""Publishing: definitions and their model into the log, what they need of the past to its customers, then in force.

    folder -> plan -> shown -> begun -> finished (`finish.py`)

There is one publisher at a time. Events are folded all the while: below the collecting marker they are backfilled, from
it on the workers remember them themselves.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from deploy.definitions import history as log
from deploy.definitions.finish import Tell, begin, finish
from deploy.definitions.given import wanted
from deploy.definitions.history import History
from deploy.definitions.overtaken import settled
from deploy.definitions.plan import Plan, plan, rolled_back
from deploy.definitions.publisher import Overtaken, publisher
from deploy.definitions.standing import standing
from schemas import folders
from schemas.definitions import key_of
from schemas.folders import Folder
from schemas.graph import Defined
from schemas.portrait import Model
from schemas.publication import Publication
from schemas.settings import Settings

Show = Callable[[Plan, Model | None], None]
"""Told what will be published before it is, and which publication was found begun, and ended first."""
Want = Callable[[History], list[Defined]]
AGAIN = "`cdp definitions history` tells of it; publish again where yours shall be in force"


class Done(NamedTuple):
    """What was published; `finished`: a publication that was found begun, and ended first.

    `by_another`: it is in force by a publisher that took over meanwhile.
    """

    plan: Plan
    finished: Model | None = None
    by_another: bool = False


def publish(
    settings: Settings, folder: Folder, because: str | None, tell: Tell, show: Show = lambda _, __: None
) -> Done:
    """Put the definitions of a folder in force; ConfigError where they cannot be, Unavailable where it stands still.

    Overtaken where another publisher puts something else in force meanwhile.
    """
    return _publish(settings, lambda history: wanted(folder, history), because, tell, show)


def roll_back(
    settings: Settings, name: str, because: str | None, tell: Tell, show: Show = lambda _, __: None
) -> Done:
    """Put the latest earlier version of a definition in force, or none where there was none; errors as above."""

    def want(history: History) -> list[Defined]:
        models = [each.model for each in history.models]
        found = rolled_back(history.definitions, models, history.now, name) if history.now else []
        return folders.together(found, "KIND/NAME")

    return _publish(settings, want, because or f"{name} rolled back", tell, show)


def planned(history: History, wanted: Sequence[Defined], because: str | None = None) -> Plan:
    """What would be published now."""
    number = max((each.model.version for each in history.models), default=0) + 1
    return plan(history.definitions, history.now, wanted, because, number)


def _publish(settings: Settings, want: Want, because: str | None, tell: Tell, show: Show) -> Done:
    history = log.read(settings)
    made = planned(history, want(history), because)  # what cannot be is told before anything is taken over
    try:
        return _alone(settings, want, because, tell, show)
    except Overtaken as error:
        now = settled(settings, history, tell)
        if now is None or set(now.definitions) != set(made.model.definitions):
            what = "no model" if now is None else f"{key_of(now)}, published because: {now.because or '-'}"
            raise Overtaken(
                f"another publisher has taken over; in force is {what}", error.where, AGAIN
            ) from error
        return Done(made._replace(model=now), by_another=True)


def _alone(settings: Settings, want: Want, because: str | None, tell: Tell, show: Show) -> Done:
    with publisher(settings) as writer, standing(settings) as at:
        history, finished = log.read(settings), None
        begun = history.unfinished
        if begun is not None:
            finished = begun.model
            publication = begun.publication or Publication(model=key_of(begun.model), complete=True)
            finish(settings, writer, at, history.definitions, finished, publication, tell)
            history = log.read(settings)
        made = planned(history, want(history), because)
        show(made, finished)
        if made.steps:
            known = {**history.definitions, **{key_of(each): each for each in made.new}}
            finish(settings, writer, at, known, made.model, begin(writer, made), tell)
        return Done(made, finished)

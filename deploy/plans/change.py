"""Publishing a tracking plan: the next version of its source's, in force in every ingest process within a second."""

import time
from pathlib import Path

from deploy.definitions import history
from deploy.reach import check
from deploy.reason import reason
from deploy.sources.log import Records, sources, write
from schemas import plan as plans
from schemas.errors import ConfigError, NotFound
from schemas.identity import IdentityRules, split_namespace
from schemas.plan import Plan, Planned
from schemas.settings import Settings


def publish(settings: Settings, path: Path, because: str) -> tuple[Plan, bool]:
    """Put the plan of a file in force; gives what is, and whether that is new.

    ConfigError where it cannot be, NotFound where there is no such source, Unavailable without Kafka.
    """
    because, wanted = reason(because), plans.load(path)
    check(settings, clickhouse=False)
    check_namespaces(settings, wanted, str(path))
    done: list[tuple[Plan, bool]] = []

    def make(there: Records) -> Records:
        check_source(there, wanted.source)
        plan, new = following(
            plans.newest(there, wanted.source), wanted, time.time_ns() // 1_000_000, because
        )
        done.append((plan, new or bool(done)))
        return {plans.key_of(plan): plan.model_dump_json().encode()} if new else {}

    write(settings, make)
    return done[-1]


def following(newest: Plan | None, wanted: Planned, at: int, because: str) -> tuple[Plan, bool]:
    """The plan that is to be in force, and whether it has yet to be written."""
    fields = {name: getattr(wanted, name) for name in Planned.model_fields}
    if newest is not None and all(getattr(newest, name) == value for name, value in fields.items()):
        return newest, False
    version = 1 if newest is None else newest.version + 1
    return Plan(**fields, version=version, published_at=at, because=because), True


def check_source(there: Records, source: str) -> None:
    """Return where a source is known; NotFound names those that are."""
    known = sources(there)
    if source not in known:
        names = ", ".join(known) or "none"
        raise NotFound("there is no such source", source, f"there are {names}; `cdp sources add` makes one")


def check_namespaces(settings: Settings, plan: Planned, path: str) -> None:
    """Return where every identifier that a plan asks for has a namespace that the deployment knows, or ConfigError."""
    found = history.read(settings).definitions.values()
    rules = max((each for each in found if isinstance(each, IdentityRules)), key=lambda each: each.version)
    known = {namespace.name for namespace in rules.namespaces}
    for number, event in enumerate(plan.events):
        for each in event.identifiers:
            if split_namespace(each)[0] not in known:
                what = f"events.{number}.identifiers: there is no namespace {each}"
                raise ConfigError(what, path, f"there are {', '.join(sorted(known))}")

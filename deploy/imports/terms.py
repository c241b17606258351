"""Reading what holds for a source, and whether it may send what a mapping states, before any row is read."""

from deploy.definitions import history
from deploy.imports.desk import Terms
from deploy.sources.log import Records, read, sources
from schemas.errors import ConfigError, NotFound
from schemas.identity import IdentityRules, split_namespace
from schemas.mapping import Mapping
from schemas.plan import PREFIX as PLAN
from schemas.settings import Settings
from schemas.sources import Source


def terms(settings: Settings, name: str, mapping: Mapping) -> Terms:
    """What holds for the events of a source; CdpError where it may not send what the mapping states."""
    found = history.read(settings).definitions.values()
    rules = max((each for each in found if isinstance(each, IdentityRules)), key=lambda each: each.version)
    there = read(settings)
    known = sources(there)
    if name not in known:
        names = ", ".join(known) or "none"
        raise NotFound("there is no such source", name, f"there are {names}; `cdp sources add` makes one")
    source = known[name]
    if not source.enabled:
        raise ConfigError("this source is disabled", name, f"`cdp sources enable {name}`")
    _check_namespaces(mapping, source, rules)
    secret = settings.key_secret.get_secret_value()
    return Terms(source, rules, _plan(there, name), secret, settings.partitions, settings.currency)


def _check_namespaces(mapping: Mapping, source: Source, rules: IdentityRules) -> None:
    """What a mapping can only have wrongly is told before any row is read."""
    known = {namespace.name: namespace for namespace in rules.namespaces}
    for number, event in enumerate(mapping.events):
        for namespace in event.identifiers:
            name, scope = split_namespace(namespace)
            where = f"events.{number}.identifiers.{namespace}"
            if name not in known:
                raise ConfigError(f"unknown namespace {name!r}", where, f"there are {', '.join(known)}")
            if known[name].scoped != bool(scope):
                what = f"{name} is written {name}/SCOPE" if known[name].scoped else f"{name} takes no scope"
                raise ConfigError(what, where)
            if source.namespaces != "all" and name not in source.namespaces:
                what = f"source {source.name} may not assert {name!r}"
                raise ConfigError(what, where, f"`cdp sources set {source.name} --namespaces`")


def _plan(there: Records, name: str) -> bytes | None:
    """The record of the plan in force: the greatest version."""
    versions = [key for key in there if key.startswith(f"{PLAN}{name}/")]
    newest = max(versions, key=lambda key: int(key.rpartition("/")[2]), default=None)
    return None if newest is None else there[newest]

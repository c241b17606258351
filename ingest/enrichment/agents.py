"""`context.agent`: browser, system and device of a user agent, as ua-parser's regular expressions know them. Pure."""

from functools import cache, lru_cache
from typing import NamedTuple

from ua_parser import OS, Domain, RegexResolver, Resolver, UserAgent, load_lazy_builtins

from ingest.shapes import Fields

LONGEST = 512
"""Characters of a user agent that are read."""
REMEMBERED = 4_096


class Agent(NamedTuple):
    """What a user agent tells: the fields of `context.agent`, none where it is unknown, and if it is a crawler."""

    fields: Fields
    spider: bool


def add(context: Fields, agent: str, _: str) -> None:
    """Add `context.agent`, of a user agent of at most LONGEST characters."""
    if agent and context.get("agent") is None and (fields := read(agent).fields):
        context["agent"] = fields


@lru_cache(maxsize=REMEMBERED)
def read(agent: str) -> Agent:
    """What a user agent of at most LONGEST characters tells."""
    try:
        found = _engine()(agent, Domain.ALL)
    except UnicodeEncodeError:  # a lone surrogate: the event is refused for it, whatever is said here
        return Agent({}, spider=False)
    fields: Fields = {}
    if found.user_agent is not None:
        _note(fields, "browser", found.user_agent)
    if found.os is not None:
        _note(fields, "os", found.os)
    if found.device is not None:
        fields["device"] = found.device.family
    return Agent(fields, found.device is not None and found.device.family == "Spider")


def _note(fields: Fields, what: str, found: UserAgent | OS) -> None:
    fields[what] = found.family
    if known := ".".join(part for part in (found.major, found.minor, found.patch) if part):
        fields[f"{what}_version"] = known


@cache
def _engine() -> Resolver:
    """ua-parser on its engine in Rust: linear in the length of an agent, where Python's can be made to take seconds."""
    assert RegexResolver is not None, "ua-parser-rs is installed with us"
    return RegexResolver(load_lazy_builtins())

"""What an adapter is: one sender's requests, held to its signature and made into messages. Pure.

    take(hook, secrets, config) -> Taken(messages, reply), NotGenuine, or Refusal

An adapter verifies before it parses. Its messages are Segment's, with the sender's own object in `context.original`,
and go the way of all others; a message's `messageId` is the same however often the sender sends the same thing.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schemas.errors import ConfigError

PATH = "/hooks/"
"""Where senders send, with the name of the source behind it."""
Message = dict[str, Any]
Named = Mapping[str, str]


class Hook(NamedTuple):
    """One request as it came: `now` is when, Unix ms; header names are lower case."""

    method: str
    query: Named
    headers: Mapping[bytes, bytes]
    body: bytes
    now: int


class Reply(NamedTuple):
    """What the sender expects to hear when all is well."""

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


class Taken(NamedTuple):
    """The messages of a request, and the answer once the log has them."""

    messages: list[Message]
    reply: Reply = Reply()


class NotGenuine(Exception):
    """The request is not signed as this sender signs, or too old: 401, and nothing of it is kept."""


Take = Callable[[Hook, Named, Named], Taken]
"""From a request, the source's secrets and its configuration, both by name."""
Check = Callable[[str], object]
"""ConfigError where a value cannot be what it is for, in words that do not have the value."""
UNCHECKED: Mapping[str, Check] = {}
ALL_NEEDED: Mapping[str, tuple[str, str]] = {}


class Adapter(NamedTuple):
    """One sender; `channel`: as a rule.

    `secrets` and `config` are the names that a source of this adapter must have; those of `optional_secrets` and
    `optional_config` are in what `take` is given where the source has them. `checks`, by the names of either, tell
    what can be told of a value before anybody sends. `unneeded`: secrets that a source need not have whose config has
    this value, as `("mode", "plain")`.
    """

    name: str
    about: str
    channel: str
    secrets: tuple[str, ...]
    config: tuple[str, ...]
    take: Take
    optional_secrets: tuple[str, ...] = ()
    optional_config: tuple[str, ...] = ()
    checks: Mapping[str, Check] = UNCHECKED
    unneeded: Mapping[str, tuple[str, str]] = ALL_NEEDED


def as_told(adapter: Adapter, config: Named) -> Adapter:
    """The adapter as a source of this config has it: what it does not need is optional."""
    spare = tuple(name for name, (key, value) in adapter.unneeded.items() if config.get(key) == value)
    if not spare:
        return adapter
    needed = tuple(name for name in adapter.secrets if name not in spare)
    return adapter._replace(secrets=needed, optional_secrets=(*adapter.optional_secrets, *spare))


def wrong(adapter: Adapter, name: str, *values: str) -> ConfigError | None:
    """Why one of these values of a secret or of config cannot be so; None where all can. It does not say the value."""
    check = adapter.checks.get(name, str)
    try:
        for value in values:
            check(value)
    except ConfigError as error:
        return error
    return None

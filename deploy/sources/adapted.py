"""Sources of other systems: their adapters, what these are told, whether their secrets are there. Never a secret."""

from collections.abc import Iterator
from pathlib import Path

from ingest.adapters.adapter import PATH, Adapter, Named, as_told, wrong
from ingest.adapters.registry import ADAPTERS
from ingest.adapters.secrets import places, values
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.sources import Terms


def check(terms: Terms) -> None:
    """ConfigError where there is no such adapter, it is not told what it must be, or what it is told cannot be so."""
    where = f"source {terms.name}"
    if terms.adapter is None:
        if terms.config:
            raise ConfigError("config is what an adapter is told", where, "name one: --adapter KIND")
        return
    adapter = named(terms.adapter, where)
    for name in terms.config:
        if name in (*adapter.secrets, *adapter.optional_secrets):
            raise ConfigError(f"{name} is a secret", where, f"it belongs in {_belongs(terms.name, name)}")
    known = (*adapter.config, *adapter.optional_config)
    unknown = [name for name in terms.config if name not in known]
    if unknown:
        hint = f"it is told {', '.join(known)}" if known else "it is told nothing"
        raise ConfigError(f"adapter {adapter.name} knows no {', '.join(unknown)}", where, hint)
    if missing := [name for name in adapter.config if name not in terms.config]:
        hint = " ".join(f"--config {name}=..." for name in missing)
        raise ConfigError(f"adapter {adapter.name} must be told {', '.join(missing)}", where, hint)
    for name, value in terms.config.items():
        if error := wrong(adapter, name, value):
            raise ConfigError(error.what, where, error.hint)


def named(kind: str, where: str) -> Adapter:
    """An adapter; ConfigError where there is none of this name."""
    if kind not in ADAPTERS:
        hint = f"there are {', '.join(sorted(ADAPTERS))}; `cdp sources adapters` says what each is"
        raise ConfigError(f"there is no adapter {kind!r}", where, hint)
    return ADAPTERS[kind]


def lines(terms: Terms, folder: Path | None) -> Iterator[str]:
    """A source's adapter, what it is told, and which of its secrets are where this command runs."""
    if terms.adapter is None:
        return
    told = "".join(f", {name}={value}" for name, value in sorted(terms.config.items()))
    yield f"adapter {terms.adapter}{told}, at {PATH}{terms.name}"
    if (adapter := ADAPTERS.get(terms.adapter)) is None:
        yield "this version has no such adapter"
        return
    adapter = as_told(adapter, terms.config)
    said = [f"{name} {_seen(adapter, name, terms.name, folder, 'no')}" for name in adapter.secrets]
    optional = adapter.optional_secrets
    said += [f"{name} {_seen(adapter, name, terms.name, folder, 'no (optional)')}" for name in optional]
    if said:
        yield f"secrets seen from here: {', '.join(said)}"


def _seen(adapter: Adapter, name: str, source: str, folder: Path | None, absent: str) -> str:
    given = values(folder, source, name)
    if wrong(adapter, name, *given):
        return "cannot be used"
    return "yes" if given else absent


def url(settings: Settings, source: str) -> str:
    """Where the sender of a source is to send."""
    return f"http://{settings.ingest_host}:{settings.ingest_port}{PATH}{source}"


def missing(source: str, kind: str, config: Named, folder: Path | None) -> Iterator[str]:
    """The secrets without which a source of this adapter and config takes nothing, a line each."""
    for name in as_told(ADAPTERS[kind], config).secrets:
        given = values(folder, source, name)
        where = " or ".join(f"{what} {place}" for what, place in places(folder, source, name))
        if not given:
            yield f"its secret {name} is not seen from here: ingest reads it from {where}"
        if error := wrong(ADAPTERS[kind], name, *given):
            yield f"its secret {name} cannot be used: {error.what}; {error.hint}. It is read from {where}"


def known() -> Iterator[str]:
    """Every adapter, and what a source of it must have."""
    for adapter in ADAPTERS.values():
        yield f"{adapter.name}: {adapter.about}"
        yield f"  channel {adapter.channel}"
        yield f"  secrets {secrets(adapter)}"
        yield f"  config {names(adapter.config, adapter.optional_config)}"


def secrets(adapter: Adapter) -> str:
    """The secrets that a source of the adapter must have, and may have, and when."""
    unneeded = {
        name: f"{name} (optional in {key} {value})" for name, (key, value) in adapter.unneeded.items()
    }
    return names(tuple(unneeded.get(name, name) for name in adapter.secrets), adapter.optional_secrets)


def names(required: tuple[str, ...], optional: tuple[str, ...]) -> str:
    """What must be there, and what may be."""
    return ", ".join([*required, *(f"{name} (optional)" for name in optional)]) or "none"


def _belongs(source: str, name: str) -> str:
    return " or ".join(place for _, place in places(Path("$CDP_SECRETS"), source, name))

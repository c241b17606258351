"""The sources that a deployment starts with: those of a file, into the log. What is in the log holds."""

from collections.abc import Iterable, Mapping, Sequence

from deploy.records import until_readable
from deploy.sources import adapted
from deploy.sources.change import now_ms, opened
from deploy.sources.log import Records, read, record, sources, write
from schemas.errors import ConfigError
from schemas.settings import Settings
from schemas.sources import PRESET, Declared, Source, Terms, key_digest, key_of, load
from schemas.topics import SOURCES


def of_file(settings: Settings) -> tuple[Declared, ...]:
    """The sources of the file, or of the local preset; ConfigError names each fault."""
    found = load(settings.sources).sources
    for each in found:
        adapted.check(each)
    return found


def first(settings: Settings, declared: Iterable[Declared]) -> dict[str, bytes]:
    """The records of a file's sources."""
    at = now_ms()
    return dict(record(opened(each, _digest(settings, each), at, "")) for each in declared)


def seed(settings: Settings, declared: Sequence[Declared]) -> list[str]:
    """Add the sources whose names are not in the log; gives in which the file differs from the log, a line each.

    ConfigError where a write key is another source's already. Safe to kill anywhere and to run twice.
    """

    def make(there: Records) -> Records:
        missing = [each for each in declared if key_of(each.name) not in there]
        _check_keys(settings, missing, sources(there))
        return first(settings, missing)

    there: Records = read(settings)
    if missing := make(there):
        write(settings, make)
        until_readable(settings, SOURCES, missing)
        there = read(settings)
    known = sources(there)
    told = [(each.name, differing(each, known[each.name], _digest(settings, each))) for each in declared]
    return [
        f"source {name}: the log has another {', '.join(fields)}, and holds"
        for name, fields in told
        if fields
    ]


def differing(declared: Declared, source: Source, digest: str) -> list[str]:
    """The fields in which a file's source is another than the log's; `digest`: of the file's write key."""
    fields = [name for name in Terms.model_fields if getattr(declared, name) != getattr(source, name)]
    return [*fields, *([] if digest in {key.digest for key in source.keys} else ["write_key"])]


def _check_keys(settings: Settings, missing: Iterable[Declared], known: Mapping[str, Source]) -> None:
    """A write key is one source's."""
    owners = {key.digest: name for name, source in known.items() for key in source.keys}
    for each in missing:
        if owner := owners.get(_digest(settings, each)):
            what = f"the write key of source {each.name} is that of source {owner} already"
            raise ConfigError(what, str(settings.sources or PRESET), "give each source a key of its own")


def _digest(settings: Settings, declared: Declared) -> str:
    return key_digest(settings.key_secret.get_secret_value(), declared.write_key.get_secret_value())

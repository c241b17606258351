"""What `cdp sources list` prints: who may send, on what terms, and how much they did today. Never a write key."""

from collections import Counter
from datetime import UTC, datetime

from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from deploy.init import joined
from deploy.records import read_all
from deploy.sources.change import now_ms
from deploy.sources.log import read, sources
from deploy.terminal import plain
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.sources import Enrichment, Source, Usage, WriteKey, day_of
from schemas.topics import USAGE


def show(settings: Settings) -> None:
    """Print the sources in force."""
    joined(settings)
    known, at = sources(read(settings)), now_ms()
    used = used_on(settings, day_of(at, settings.timezone))
    table = Table(
        "source", "channel", "terms", "taken today", "keys", "because",
        box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for source in known.values():
        taken = f"{used[source.name]:,} of {source.quota:,}" if source.quota else ""
        keys = "\n".join(key_line(key) for key in source.keys if key.taken(at))
        row = source.name, source.channel.value, "\n".join(term_lines(source)), taken, keys
        table.add_row(*row, plain(source.because))
    console = Console()
    console.print(table, highlight=False, markup=False, soft_wrap=True)


def term_lines(source: Source) -> list[str]:
    """The terms that are other than a new source's, and whether it may send at all."""
    lines = [] if source.enabled else ["disabled"]
    lines.append("trusted" if source.trusted else "not trusted")
    if source.namespaces != "all":
        lines.append(f"asserts {', '.join(source.namespaces) or 'nothing'}")
    if source.origins != "any":
        lines.append(f"pages of {', '.join(source.origins) or 'no origin'}")
    if source.phone_region:
        lines.append(f"phones of {source.phone_region}")
    if source.rate:
        lines.append(f"{source.rate:,} events/s of each process")
    if source.quota:
        lines.append(f"{source.quota:,} events a day")
    usual, own = Enrichment().model_dump(), source.enrichment.model_dump()
    names = {True: "on", False: "off"}
    return lines + [
        f"{name}={names.get(value, value)}" for name, value in own.items() if value != usual[name]
    ]


def key_line(key: WriteKey) -> str:
    """A key by its fingerprint, and until when it is taken."""
    if key.until is None:
        return f"{key.fingerprint} since {_moment(key.since)}"
    return f"{key.fingerprint} taken until {_moment(key.until)}"


def used_on(settings: Settings, day: str) -> Counter[str]:
    """Events that were counted on a day, by source; Unavailable without Kafka."""
    try:
        records = read_all(settings, USAGE.name(settings.namespace))
    except KafkaError as error:
        raise Unavailable(f"Kafka: {error}", settings.kafka, "is it running? `cdp status`") from error
    used: Counter[str] = Counter()
    for key, value in records.items():
        at, _, rest = key.decode().partition("/")
        if at == day and value:
            used[rest.partition("/")[0]] += Usage.model_validate_json(value).events
    return used


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"

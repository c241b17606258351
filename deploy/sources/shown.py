"""What `cdp sources list` prints: who may send, on what terms, and how much they did today. Never a write key."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from kafka.errors import KafkaError
from rich.console import Console
from rich.text import Text

from deploy.init import joined
from deploy.records import read_all
from deploy.sources import adapted
from deploy.sources.change import now_ms
from deploy.sources.log import read, sources
from deploy.terminal import plain
from schemas.errors import Unavailable
from schemas.settings import Settings
from schemas.sources import Enrichment, Source, Usage, WriteKey, day_of
from schemas.topics import USAGE

ON = {True: "on", False: "off"}


def show(settings: Settings) -> None:
    """Print the sources in force."""
    joined(settings)
    known, at = sources(read(settings)), now_ms()
    used = used_on(settings, day_of(at, settings.timezone))
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for source in known.values():
        console.print(source.name, style=None if source.enabled else "dim")
        for line in lines(source, used[source.name], at, settings.secrets):
            console.print(Text("  ") + line)


def lines(source: Source, used: int, at: int, secrets: Path | None) -> list[Text]:
    """A source's terms and its keys as they are at an instant, Unix ms.

    `used`: events that count today; `secrets`: the folder of what adapters verify by.
    """
    kind = f"{source.channel.value}, {'trusted' if source.trusted else 'not trusted'}"
    found = [kind if source.enabled else f"disabled; {kind}"]
    if source.namespaces != "all":
        found.append(f"asserts {', '.join(source.namespaces) or 'nothing'}")
    if source.origins != "any":
        found.append(f"pages of {', '.join(source.origins) or 'no origin'}")
    if source.phone_region:
        found.append(f"phones of {source.phone_region}")
    if source.rate:
        found.append(f"{source.rate:,} events/s of each process")
    if source.quota:
        found.append(f"{source.quota:,} events a day, {used:,} taken today")
    usual, own = Enrichment().model_dump(), source.enrichment.model_dump()
    if switched := [f"{name}={ON.get(value, value)}" for name, value in own.items() if value != usual[name]]:
        found.append(f"enrichment {', '.join(switched)}")
    found += adapted.lines(source, secrets)
    found += [key_line(key) for key in source.keys if key.taken(at)]
    because = Text("because ") + plain(source.because) if source.because else Text("from the sources file")
    return [*map(Text, found), because + Text(f" ({_moment(source.changed_at)})")]


def key_line(key: WriteKey) -> str:
    """A key by its fingerprint, and until when it is taken."""
    until = f", taken until {_moment(key.until)}" if key.until is not None else ""
    return f"key {key.fingerprint} since {_moment(key.since)}{until}"


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

"""Hooks: what other systems send, by source kind, in batches, and with enrichment off and on.

Each is measured twice: at a running ingest, in turns with the same server that only parses; and outside any server, as
what it costs to read a body, check, map and accept it. The latter has the limit.
"""

from typing import NamedTuple

from bench.figures import Result
from bench.ingest import HERE, Load, Server, Turn, both, cpu_us, post, rate
from bench.outside import doors_of, hook_us, mqtt_us, pull_us
from bench.platform import platform
from bench.senders import SECRETS
from bench.usage import memory_mb
from deploy.sources.seed import of_file
from ingest.adapters.secrets import variable
from ingest.doors import Doors
from schemas.settings import Settings

SECONDS, TURNS, LIMIT = 2, 2, 100
"""Of a turn; turns of each; µs of CPU an event outside the server."""
ABOUT = f"Synthetic hooks, signed; one ingest on two cores. Limit: {LIMIT} µs of CPU an event outside the HTTP server"


class Kind(NamedTuple):
    """What is sent to a source; `enriched` is the source that enriches the same, where there is something to enrich."""

    source: str
    load: Load
    enriched: str = ""


KINDS = (
    Kind("shopify", Load(1, 256, "Shopify, a paid order")),
    Kind("woocommerce", Load(1, 256, "WooCommerce, a paid order")),
    Kind("stripe", Load(1, 256, "Stripe, a charge")),
    Kind("meta", Load(1, 256, "Meta, a comment")),
    Kind("meta", Load(100, 16, "Meta, 100 entries")),
    Kind("sendgrid", Load(1, 256, "SendGrid, one event"), "sendgrid-all"),
    Kind("sendgrid", Load(10, 64, "SendGrid, 10 events"), "sendgrid-all"),
    Kind("sendgrid", Load(100, 16, "SendGrid, 100 events"), "sendgrid-all"),
    Kind("wechat", Load(1, 256, "WeChat, a text")),
    Kind("wechat-aes", Load(1, 256, "WeChat, an encrypted text")),
    Kind("signed", Load(1, 256, "signed, one of a browser"), "signed-all"),
    Kind("signed", Load(100, 16, "signed, 100 of a browser"), "signed-all"),
)


def hooks() -> Result:
    """Measure hooks."""
    result = Result("hooks", ABOUT)
    with platform(founded={"sources": str(HERE / "hooks.yaml")}) as mine:
        ours, peers = both(mine, **secrets(mine.settings))
        doors = doors_of(mine.settings, mine.folder / "geo.mmdb")
        for kind in KINDS:
            _measure(result, kind, doors, ours, peers)
        desk = doors.by_name("signed").desk
        result.add("MQTT, a visit: outside the server, CPU an event", mqtt_us(desk), "µs", LIMIT)
        result.add("another Kafka, an order: outside the server, CPU an event", pull_us(desk), "µs", LIMIT)
        for process in ("ingest", "peer", "kafka"):
            result.memory[process] = memory_mb(mine.programs[process].pid)
    return result


def secrets(settings: Settings) -> dict[str, str]:
    """The variables by which ingest knows the secrets of the sources."""
    return {
        variable(source.name, name): value
        for source in of_file(settings)
        for name, value in SECRETS[source.adapter or ""].items()
    }


def _measure(result: Result, kind: Kind, doors: Doors, ours: Server, peers: Server) -> None:
    """Load both in turns, and note what they did; then the same without them."""
    load, sources = kind.load, [kind.source, *filter(None, [kind.enriched])]
    turns: dict[str, list[Turn]] = {name: [] for name in (*sources, "peer")}
    for source in sources:
        post(ours, load, source, 1)
    for _ in range(TURNS):
        turns["peer"].append(post(peers, load, kind.source, SECONDS))
        for source in sources:
            turns[source].append(post(ours, load, source, SECONDS))
    for source in sources:
        name = f"{load.name}, enriched" if source == kind.enriched else load.name
        result.add(f"{name}: events a second", rate(turns[source]), "1/s")
        result.add(f"{name}: share of the peer's", 100 * rate(turns[source]) / rate(turns["peer"]), "%")
        result.add(f"{name}: CPU an event", cpu_us(turns[source]), "µs")
        outside = hook_us(doors.by_name(source), load.batch)
        result.add(f"{name}: outside the server, CPU an event", outside, "µs", LIMIT)

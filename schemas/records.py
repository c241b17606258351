"""Every type of record in the topics, with its model and its examples: what the documents are made of.

A new type or version of a record is one line here and one example in `schemas/examples/`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from schemas import topics
from schemas.changes import (
    IDENTITY_CHANGED,
    LIFECYCLE_CHANGED,
    SEGMENT_CHANGED,
    IdentityChange,
    LifecycleChange,
    SegmentChange,
)
from schemas.commands import Absorb, Backfill, Claim, Deliver, Refuse, Release, Relink
from schemas.event import Clock, Event, Marker, Tick
from schemas.genesis import Genesis
from schemas.identity import IdentityRules
from schemas.imports import ImportedFile, ImportedRows
from schemas.lifecycle import Lifecycle
from schemas.plan import Plan
from schemas.portrait import Model, Rates, Role, Segment, TagRules, Thresholds, Value
from schemas.publication import Publication
from schemas.sources import Source, Usage
from schemas.state import CLUSTER, LINK, POSITION
from schemas.topics import Topic

EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of record. `examples` name files; public records carry CloudEvents headers, with this type."""

    name: str
    topic: Topic
    about: str
    key: str
    model: TypeAdapter[Any]
    examples: tuple[str, ...]
    ce_type: str = ""

    @property
    def title(self) -> str:
        """`LifecycleChange` of `lifecycle-change`."""
        return "".join(word.capitalize() for word in self.name.split("-"))


_EVENTS = (
    "event.track", "event.identify", "event.page", "event.screen", "event.group", "event.alias",
    "event.order-completed", "event.order-cancelled", "event.order-refunded", "event.contract-signed",
    "event.contract-renewed", "event.value-loaded", "event.value-spent", "event.link", "event.split",
)  # fmt: skip

_ADDRESSEE = "the identifier addressed"
RECORDS = (
    RecordType("event", topics.EVENTS, "one accepted interaction", "the event's greatest identifier",
               TypeAdapter(Event), _EVENTS),
    RecordType("tick", topics.EVENTS, "the logical time of the partition reaches an instant", "tick",
               TypeAdapter(Tick), ("tick",)),
    RecordType("clock", topics.EVENTS, "from here on the clock runs or is held", "clock",
               TypeAdapter(Clock), ("clock",)),
    RecordType("marker", topics.EVENTS, "from here on a version of a definition is in force", "marker",
               TypeAdapter(Marker), ("marker",)),
    RecordType("deliver", topics.COMMANDS, "fold an event of a Link", _ADDRESSEE, TypeAdapter(Deliver),
               ("command.deliver",)),
    RecordType("claim", topics.COMMANDS, "an event links two roots", _ADDRESSEE, TypeAdapter(Claim),
               ("command.claim",)),
    RecordType("refuse", topics.COMMANDS, "the two would be too large together", _ADDRESSEE, TypeAdapter(Refuse),
               ("command.refuse",)),
    RecordType("release", topics.COMMANDS, "the room that a claim carried is free again", _ADDRESSEE,
               TypeAdapter(Release), ("command.release",)),
    RecordType("absorb", topics.COMMANDS, "everything of a root that became a Link", _ADDRESSEE,
               TypeAdapter(Absorb), ("command.absorb",)),
    RecordType("relink", topics.COMMANDS, "point to a greater owner", _ADDRESSEE, TypeAdapter(Relink),
               ("command.relink",)),
    RecordType("backfill", topics.COMMANDS, "what past events of an identifier state to new leaves", _ADDRESSEE,
               TypeAdapter(Backfill), ("command.backfill",)),
    RecordType("cluster", topics.STATE, "all that is known of connected identifiers",
               "the greatest identifier", CLUSTER, ("cluster",)),
    RecordType("link", topics.STATE, "an identifier that was absorbed by another", "the identifier",
               LINK, ("link",)),
    RecordType("position", topics.STATE, "how far the partition is folded", "position",
               POSITION, ("position",)),
    RecordType("genesis", topics.DEFINITIONS, "what the deployment was founded with", "genesis",
               TypeAdapter(Genesis), ("genesis",)),
    RecordType("identity", topics.DEFINITIONS, "identity rules, one version", "identity/name/version",
               TypeAdapter(IdentityRules), ("identity",)),
    RecordType("lifecycle", topics.DEFINITIONS, "a lifecycle, one version", "lifecycle/name/version",
               TypeAdapter(Lifecycle), ("lifecycle",)),
    RecordType("value", topics.DEFINITIONS, "value and its tiers, one version", "value/name/version",
               TypeAdapter(Value), ("value",)),
    RecordType("role", topics.DEFINITIONS, "a role, one version", "role/name/version",
               TypeAdapter(Role), ("role",)),
    RecordType("tag", topics.DEFINITIONS, "a tag and when it has which value, one version", "tag/name/version",
               TypeAdapter(TagRules), ("tag",)),
    RecordType("segment", topics.DEFINITIONS, "a segment, one version", "segment/name/version",
               TypeAdapter(Segment), ("segment",)),
    RecordType("thresholds", topics.DEFINITIONS, "quantiles of the base, for scores", "thresholds/name/version",
               TypeAdapter(Thresholds), ("thresholds",)),
    RecordType("rates", topics.DEFINITIONS, "what other currencies are worth, one version", "rates/name/version",
               TypeAdapter(Rates), ("rates",)),
    RecordType("model", topics.DEFINITIONS, "which versions are in force together", "model/main/number",
               TypeAdapter(Model), ("model",)),
    RecordType("publication", topics.DEFINITIONS, "how far the publication of a model is", "backfill/main/number",
               TypeAdapter(Publication), ("publication",)),
    RecordType("source", topics.SOURCES, "who may send, and on what terms", "source/name",
               TypeAdapter(Source), ("source",)),
    RecordType("plan", topics.SOURCES, "a tracking plan of a source, one version", "plan/source/version",
               TypeAdapter(Plan), ("plan",)),
    RecordType("usage", topics.USAGE, "events of a source that one process took in one day", "day/source/process",
               TypeAdapter(Usage), ("usage",)),
    RecordType("imported-file", topics.IMPORTS, "how far a file is imported", "file/source/hash",
               TypeAdapter(ImportedFile), ("imported-file",)),
    RecordType("imported-rows", topics.IMPORTS, "events that an import wrote together", "rows/source/run/number",
               TypeAdapter(ImportedRows), ("imported-rows",)),
    RecordType("lifecycle-change", topics.LIFECYCLE_CHANGES, "a customer entered a stage", "customer_id",
               TypeAdapter(LifecycleChange), ("lifecycle-change",), LIFECYCLE_CHANGED),
    RecordType("segment-change", topics.SEGMENT_CHANGES, "a customer entered or left a segment, role, tag or tier",
               "customer_id", TypeAdapter(SegmentChange), ("segment-change",), SEGMENT_CHANGED),
    RecordType("identity-change", topics.IDENTITY_CHANGES, "who is one customer has changed", "customer_id",
               TypeAdapter(IdentityChange), ("identity-change",), IDENTITY_CHANGED),
)  # fmt: skip

REJECTED_HEADERS = "rejected-headers"
"""Example of the headers of `cdp.rejected.v1`, whose values are the original bytes."""


def example_files() -> dict[str, TypeAdapter[Any]]:
    """The model of each example file."""
    models = {f"{example}.v1.json": record.model for record in RECORDS for example in record.examples}
    return {**models, f"{REJECTED_HEADERS}.v1.json": TypeAdapter(dict[str, str])}

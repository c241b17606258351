"""The canonical event: what `cdp.events.v1` holds, one a record, past tense.

A record is: key = primary identifier's key; header `keys` = the keys of all its identifiers, greatest first,
joined by a space; timestamp = `received_at`; value = this model as JSON. Instants are Unix milliseconds, UTC.
The log also holds the deployment's own statements (`Tick`, `Clock`, `Marker`), told apart by `type`.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

Millis = Annotated[int, Field(ge=-62_135_596_800_000, le=253_402_300_799_999, description="Unix ms, UTC")]


class Channel(StrEnum):
    """Where an interaction happened."""

    SOCIAL = "social"
    ECOMMERCE = "ecommerce"
    OFFLINE = "offline"
    WEB = "web"
    MOBILE = "mobile"
    SERVER = "server"
    EMAIL = "email"
    MESSAGE = "message"
    CALL = "call"
    IOT = "iot"


class Record(BaseModel):
    """What every value in the log shares: the version of its schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1


class Event(Record):
    """One accepted interaction."""

    type: Literal["track", "identify", "page", "screen", "group", "alias", "link", "split"]
    name: str = Field(
        min_length=1,
        max_length=200,
        description="a track's event name; else Page Viewed, Screen Viewed, Identified, Grouped or Aliased",
    )
    message_id: str = Field(min_length=1, max_length=100)
    source: str = Field(description="name of the source that sent it")
    channel: Channel
    occurred_at: Millis = Field(
        description="corrected for the sender's clock, never later than arrival + 5 minutes"
    )
    received_at: Millis
    sent_at: Millis | None = None
    original_timestamp: str | None = Field(None, description="the client's own timestamp, as it came")
    identifiers: dict[str, list[str]] = Field(
        description="personal: normalised values by namespace (`user_id`, `wechat_openid/APPID`)"
    )
    properties: dict[str, Any] = Field(
        default_factory=dict, description="what happened; money as decimal strings"
    )
    traits: dict[str, Any] = Field(
        default_factory=dict, description="personal: what the event states of the customer"
    )
    context: dict[str, Any] = Field(
        default_factory=dict, description="where it happened; may hold personal fields"
    )
    bot: bool = Field(False, description="sent by a crawler or another program: kept, and folded into nobody")
    violations: list[str] = Field(
        default_factory=list,
        description="rules of the tracking plan that it breaks and was accepted all the same, as "
        "`Order Completed@2 /properties/total type`",
    )
    says: tuple[Literal["alias", "split"], str, str] | None = Field(
        None,
        description="what a trusted source or an operator states of two of its keys, the greater first: one customer, "
        "or two",
    )


class Tick(Record):
    """The logical time of a partition reaches `at`.

    Ignored where it is not later than the last, or where the clock is held and an owner wrote it before it knew.
    """

    type: Literal["tick"] = "tick"
    at: Millis
    by: Literal["owner", "importer"] = Field(
        "owner", description="the partition's worker, or who holds the clock"
    )


class Clock(Record):
    """From here on the clock runs (the partition's owner writes ticks) or is held (only an importer does).

    Holding it forgets the last tick, so that an importer can let times pass that are over already; each customer's own
    logical time never goes back.
    """

    type: Literal["clock"] = "clock"
    running: bool


class Marker(Record):
    """From here on this version of a definition is in force in this partition."""

    type: Literal["marker"] = "marker"
    kind: Literal["lifecycle", "identity", "model", "collecting", "thresholds", "rates"] = Field(
        description="`collecting`: a model's leaves are remembered from here on, while what was before is backfilled; "
        "it is in force with its `model`"
    )
    definition: str = Field(description="key in cdp.definitions.v1: kind/name/version")


AnyEvent = Annotated[Event | Tick | Clock | Marker, Field(discriminator="type")]


class EventBody(TypedDict):
    """`Event` as the hot paths hold it: the parsed JSON itself."""

    v: int
    type: str
    name: str
    message_id: str
    source: str
    channel: str
    occurred_at: int
    received_at: int
    sent_at: NotRequired[int | None]
    original_timestamp: NotRequired[str | None]
    identifiers: dict[str, list[str]]
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    bot: NotRequired[bool]
    violations: NotRequired[list[str]]
    says: NotRequired[list[str] | None]


BY_OPERATORS = frozenset(("link", "split"))
"""Types of what operators state: it links or parts identifiers, and is nothing that a customer did."""
STATEMENTS = frozenset(("tick", "clock", "marker"))
"""Types in the events log that are not a customer's event; their record key is their type."""

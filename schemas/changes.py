"""What the platform publishes: changes, as CloudEvents 1.0 in Kafka's binary mode.

The attributes are `ce_*` headers, the body is JSON. `ce_id` is uuid5 of (customer, kind, definition key,
cause, from, to, k), k counting that definition's changes by that cause: the same cause always gives the same
ids, two changes never share one.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from schemas.event import Millis
from schemas.labels import LabelKind, Stage

CUSTOMER_NAMESPACE = UUID("6f2b1a52-7a36-5d0e-9a53-5a4c1f6f0b11")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHANGE_NAMESPACE = UUID("3a0f2f9c-55d6-5c1e-8b1e-2f8f4d1f7c22")
_CHANGE_BYTES = CHANGE_NAMESPACE.bytes


class LifecycleChange(BaseModel):
    """A customer entered a stage. `from` is null where the customer was not known before."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    v: Literal[1] = 1
    id: str = Field(description="the same as ce_id")
    customer_id: str
    lifecycle: str = Field(description="definition key: lifecycle/name/version")
    from_: Stage | None = Field(alias="from")
    to: Stage
    effective_at: Millis = Field(description="logical time from which the customer is in this stage")
    caused_at: Millis = Field(
        description="occurred_at of the event that caused it; effective_at where time alone did"
    )
    cause: str = Field(description="source/message_id of the event that caused it, or `time`")
    sequence: int = Field(ge=1, description="1, 2, 3 … for each customer")
    identifiers: dict[str, list[str]] = Field(description="identifiers that are not personal, by namespace")


class IdentityChange(BaseModel):
    """Who is one customer has changed.

    merged: `customer_id` has taken over the history of `other_id`, whose id still resolves. split: `other_id` is a
    customer of its own again, or for the first time, parted from `customer_id`. conflict: an event links the two
    identifiers, and they are not taken for one customer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    id: str = Field(description="the same as ce_id")
    change: Literal["merged", "split", "conflict"]
    customer_id: str
    other_id: str | None = Field(description="null in a conflict whose other side is not known here")
    through: list[str] = Field(
        description="the keys of the two identifiers, the greater first; none if unknown"
    )
    reason: Literal["", "unique", "shared", "split", "too_large"] = Field(
        description="why a conflict was refused: both have a value of a unique namespace, the identifier is shared and "
        "joined elsewhere, they were said to be two, the customer would become too large"
    )
    effective_at: Millis = Field(description="the customers' logical time")
    stated_at: Millis = Field(description="occurred_at of the event that states it")
    cause: str = Field(description="source/message_id of that event")


class SegmentChange(BaseModel):
    """A customer entered or left a segment, a role, a tag's value or a tier of value.

    A tag or a tier that changes its value leaves the old one, then enters the new one. A customer that is merged into
    another leaves everything; the survivor enters what holds for both together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    id: str = Field(description="the same as ce_id")
    change: Literal["entered", "left"]
    customer_id: str
    kind: LabelKind
    name: str = Field(description="name of the segment, role, tag or value")
    value: str = Field(description="the tag's value or the tier; empty for segments and roles")
    definition: str = Field(description="definition key under which it was found: kind/name/version")
    effective_at: Millis = Field(description="logical time from which it holds, or holds no more")
    caused_at: Millis = Field(
        description="occurred_at of the event that caused it; effective_at where time alone or a definition did"
    )
    cause: str = Field(
        description="source/message_id of the event that caused it, `time`, or the definition that came into force"
    )
    sequence: int = Field(ge=1, description="1, 2, 3 … of all these changes of each customer")
    identifiers: dict[str, list[str]] = Field(description="identifiers that are not personal, by namespace")


def customer_id(greatest_key: str) -> str:
    """The id of the customer whose greatest identifier has this key."""
    return str(uuid5(CUSTOMER_NAMESPACE, greatest_key))


def change_id(
    customer: str, kind: str, definition: str, cause: str, from_: str | None, to: str, k: int
) -> str:
    """The stable id of a change."""
    named = "\n".join((customer, kind, definition, cause, from_ or "", to, str(k)))
    # uuid5 itself, written out: the object between costs four times as much, and changes are many
    digest = hashlib.sha1(_CHANGE_BYTES + named.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def ce_headers(change_id: str, type_: str, deployment: str, subject: str, at: int) -> list[tuple[str, bytes]]:
    """CloudEvents headers in Kafka's binary mode; `ce_time` is the change's effective_at."""
    version, kind, source, content = _of_all(type_, deployment)
    id_, about = ("ce_id", change_id.encode()), ("ce_subject", subject.encode())
    return [version, id_, kind, source, about, ("ce_time", _time(at)), content]


@lru_cache(maxsize=64)
def _of_all(type_: str, deployment: str) -> list[tuple[str, bytes]]:
    """What is the same of all changes of a type."""
    source = f"/cdp/{deployment}".encode()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", type_.encode()),
        ("ce_source", source),
        ("content-type", b"application/json"),
    ]


@lru_cache(maxsize=1_024)
def _time(at: int) -> bytes:
    """An instant, RFC 3339; one event makes several changes."""
    time = (EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z").encode()


LIFECYCLE_CHANGED = "cdp.lifecycle.changed.v1"
IDENTITY_CHANGED = "cdp.identity.changed.v1"
SEGMENT_CHANGED = "cdp.segment.changed.v1"

"""What importing files leaves in `cdp.imports.v1`: how far each file is, and which rows of a source are in the log.

Both are written in the transaction that writes the events themselves, so they are what the log holds.
"""

from hashlib import blake2b
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.event import Millis

FILE, ROWS = "file/", "rows/"
"""What the keys begin with."""


class ImportedFile(BaseModel):
    """How far a file is imported: the record `file/SOURCE/HASH`, HASH being that of its content.

    Each row read is an event, was known before, was left out by the mapping (`skipped`), or is `rejected`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    name: str = Field(max_length=255, description="as the file was called")
    mapping: str = Field(pattern=r"^[0-9a-f]{32}$", description="digest of the mapping")
    rows: int = Field(ge=0, description="read and done with")
    events: int = Field(ge=0)
    known: int = Field(ge=0, description="whose messageId the log had of this source by an import")
    skipped: int = Field(ge=0)
    rejected: dict[str, int] = Field(description="by reason")
    done: bool
    at: Millis


class ImportedRows(BaseModel):
    """Events that an import wrote: the record `rows/SOURCE/RUN/NUMBER`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    ids: str = Field(description="`id_of` of each, 8 bytes, little end first, in base64")


def id_of(message_id: str) -> bytes:
    """Eight bytes by which the imports of a source know a messageId."""
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"cdp-import").digest()


def file_key(source: str, digest: str) -> str:
    """The record key of a file."""
    return f"{FILE}{source}/{digest}"


def rows_key(source: str, run: str, number: int) -> str:
    """The record key of events that a run of an import wrote together."""
    return f"{ROWS}{source}/{run}/{number}"

"""The first-party snippet, `/cdp.js`, read and packed once."""

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ingest.service import Service

FILE = Path(__file__).parent / "snippet" / "cdp.js"


class Script(NamedTuple):
    """A script, plain and packed, and the tag of this version of it."""

    plain: bytes
    packed: bytes
    tag: str


@cache
def script() -> Script:
    """The snippet."""
    plain = FILE.read_bytes()
    digest = blake2b(plain, digest_size=8).hexdigest()
    return Script(plain, gzip.compress(plain, 9, mtime=0), f'W/"{digest}"')


async def snippet(_: Service, request: Request) -> Response:
    """The snippet, packed where the browser takes that; 304 where it has this version."""
    plain, packed, tag = script()
    headers = {"etag": tag, "cache-control": "public, max-age=3600", "vary": "Accept-Encoding, Origin"}
    if tag in (held.strip() for held in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    gzipped = "gzip" in request.headers.get("accept-encoding", "").lower()
    if gzipped:
        headers["content-encoding"] = "gzip"
    return Response(packed if gzipped else plain, headers=headers, media_type="text/javascript")

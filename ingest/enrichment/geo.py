"""`context.location`: where an address is, by the MaxMind file that the operator gives.

The file is copied, mapped into memory and unlinked: whatever is done to it later, what is mapped stays whole. That it
is another is seen at most a minute later; one that cannot be read is said, and the last one stays in use.
"""

import shutil
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from maxminddb import MODE_AUTO, InvalidDatabaseError, Reader, open_database

from ingest.enrichment.addresses import parse
from ingest.shapes import Fields
from schemas.errors import ConfigError

LOOK = 60.0
"""Seconds between two looks at the file."""
REMEMBERED = 16_384

say = structlog.get_logger("ingest.geo")


class Geo:
    """An open MaxMind file."""

    def __init__(self, path: Path) -> None:
        """ConfigError where there is none, or one that cannot be read."""
        self._path, self._version = path, _version(path)
        try:
            self._reader = _open(path)
        except (OSError, InvalidDatabaseError) as error:
            raise ConfigError(
                f"the MaxMind file of CDP_GEO cannot be read: {_why(error)}",
                str(path),
                "give a .mmdb file of cities or countries, or leave CDP_GEO out",
            ) from None
        self._next = time.monotonic() + LOOK
        self._locate = lru_cache(maxsize=REMEMBERED)(self._read)

    def add(self, context: Fields, _: str, ip: str) -> None:
        """Add `context.location`, as a step of enrichment."""
        if ip and context.get("location") is None and (found := self.location(ip)):
            context["location"] = found

    def location(self, ip: str) -> Fields:
        """Country (ISO 3166), region and city of an address (at most `addresses.LONGEST` characters), where known."""
        if time.monotonic() >= self._next:
            self.look()
        return self._locate(ip)

    def look(self) -> None:
        """Open the file again where it is another."""
        self._next = time.monotonic() + LOOK
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._reader = _open(self._path)
        except (OSError, InvalidDatabaseError) as error:
            say.error("the new MaxMind file cannot be read, the last one stays in use", error=_why(error))
        else:
            self._locate.cache_clear()
            say.info("the MaxMind file is a new one", built=self._reader.metadata().build_epoch)

    def _read(self, ip: str) -> Fields:
        address = parse(ip)
        try:
            found = None if address is None else self._reader.get(address)
        except ValueError:  # IPv6, of a file that has none
            found = None
        except InvalidDatabaseError as error:
            say.error("the MaxMind file is damaged", error=_why(error))
            found = None
        return _fields(found) if isinstance(found, dict) else {}


def _open(path: Path) -> Reader:
    with tempfile.NamedTemporaryFile(prefix="cdp-geo-") as copy:
        with path.open("rb") as file:
            shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        return open_database(copy.name, MODE_AUTO)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from the one that was there before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _fields(found: dict[str, Any]) -> Fields:
    subdivisions = found.get("subdivisions")
    region = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else {}
    fields = {
        "country": _text(found.get("country"), "iso_code"),
        "region": _text(region, "names", "en") or _text(region, "iso_code"),
        "city": _text(found.get("city"), "names", "en"),
    }
    return {name: value for name, value in fields.items() if value}


def _text(found: Any, *path: str) -> str:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""

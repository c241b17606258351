"""What can be told of an adapter's configuration before anybody sends: whether a value has its form. Pure."""

import re

from ingest.adapters.adapter import Check
from schemas.errors import ConfigError


def formed(name: str, pattern: str, hint: str) -> Check:
    """What refuses a value that the pattern does not match as a whole; the hint says what it is as."""
    form = re.compile(pattern)

    def check(value: str) -> None:
        if not form.fullmatch(value):
            raise ConfigError(f"{name} cannot be that", f"the configuration {name}", hint)

    return check

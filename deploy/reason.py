"""Why an operator did something: it stands in the log for those who ask."""

from schemas.errors import ConfigError
from schemas.plain import MAX_REASON


def reason(because: str) -> str:
    """The reason as it is to stand in the log; ConfigError where there is none, or it is too long."""
    because = because.strip()
    if not because or len(because) > MAX_REASON:
        what = f"a reason is needed, of 1 to {MAX_REASON} characters; this has {len(because)}"
        raise ConfigError(what, "--because", "it stands in the log for those who ask why")
    return because

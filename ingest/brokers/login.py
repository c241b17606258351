"""How we are let in by other brokers: passwords by name, and certificates."""

import ssl

from ingest.adapters.secrets import places, values
from ingest.brokers.feed import Feed
from schemas.brokers import Tls
from schemas.errors import ConfigError


def password(feed: Feed, name: str) -> str:
    """A secret of the mapping's source; ConfigError says where it may be."""
    if found := values(feed.settings.secrets, feed.source, name):
        return found[0]
    hint = " or ".join(f"{kind} {place}" for kind, place in places(feed.settings.secrets, feed.source, name))
    raise ConfigError(f"the secret {name} is missing", feed.source, hint)


def trust(tls: Tls) -> ssl.SSLContext:
    """Whom to trust, and as whom; ConfigError where a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        where = ", ".join(path for path in (tls.ca, tls.certificate, tls.key) if path)
        raise ConfigError(f"a certificate cannot be used: {error}", where) from None
    return context

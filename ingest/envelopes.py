"""A parsed body to its messages and what its envelope says of them all. Pure."""

from typing import Any

from ingest import times
from ingest.bodies import MAX_EVENT, MAX_EVENTS, original
from ingest.canonical import Arrival
from ingest.refusal import invalid, malformed, too_large


def open_body(
    body: Any, kind: str | None, arrived: tuple[int, str, Any], sender: tuple[str, str] = ("", "")
) -> tuple[list[Any], Arrival]:
    """The messages of a body and their arrival; Refusal where the body as a whole cannot be accepted.

    `kind` is the type that a single route names, None for a batch; `arrived` is the time (Unix ms), an id of
    the request and the `sentAt` of its headers; `sender` its user agent and address.
    """
    received_at, request, header = arrived
    agent, ip = sender
    if not isinstance(body, dict):
        raise malformed("the body must be a JSON object")
    sent_at = times.sent(body.get("sentAt"))
    sent_at = times.sent(header) if sent_at is None else sent_at
    skew = times.skew(sent_at, received_at)
    if kind is not None:
        return [body], Arrival(received_at, request, kind, sent_at, skew, agent=agent, ip=ip)
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise invalid("a batch needs batch, a list of events")
    if len(messages) > MAX_EVENTS:
        raise too_large(f"a batch may have {MAX_EVENTS} events")
    context, integrations = body.get("context") or {}, body.get("integrations")
    if not isinstance(context, dict):
        raise invalid("the envelope's context must be an object")
    if (context or integrations) and len(original([context, integrations])) > MAX_EVENT:
        raise too_large(f"an envelope may have {MAX_EVENT} bytes")
    return messages, Arrival(received_at, request, None, sent_at, skew, context, integrations, agent, ip)

"""Make calls with an SDK for Python: `python.py segment|rudder`, the order as JSON on stdin, a report on stdout.

In:  {"host": "http://127.0.0.1:8080", "key": "...", "calls": [{"type": "track", "userId": ...}, {"type": "flush"}]}
Out: {"errors": ["..."]}, once the SDK has nothing more to send.
"""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

Report = Callable[[Exception, list[Any]], None]


def segment(host: str, key: str, on_error: Report) -> Any:
    from segment.analytics.client import Client  # noqa: PLC0415

    return Client(key, host=host, gzip=True, on_error=on_error)


def rudder(host: str, key: str, on_error: Report) -> Any:
    from rudderstack.analytics.client import Client  # noqa: PLC0415

    return Client(key, host=host, on_error=on_error)


def main() -> None:
    connect = {"segment": segment, "rudder": rudder}[sys.argv[1]]
    order: dict[str, Any] = json.load(sys.stdin)
    errors: list[str] = []
    client = connect(order["host"], order["key"], lambda error, _: errors.append(str(error)))
    for call in order["calls"]:
        fields = {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", name): value for name, value in call.items()}
        getattr(client, fields.pop("type"))(**fields)
    client.shutdown()
    json.dump({"errors": errors}, sys.stdout)


if __name__ == "__main__":
    main()

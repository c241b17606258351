"""The peer of ingest: the same server that only parses. `python -m bench.ingest_peer PORT`.

Starlette on granian and uvloop as ingest runs them; it reads the body, parses it (JSON with orjson, XML with expat) and
answers. Of a hook it verifies nothing.
"""

import asyncio
import sys
from xml.etree.ElementTree import fromstring

import orjson
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

OK = Response(b'{"success":true}', media_type="application/json")


async def post(request: Request) -> Response:
    body = await request.body()
    if body.startswith(b"<"):
        fromstring(body)
    else:
        orjson.loads(body)
    return OK


async def main(port: int) -> None:
    paths = ("/v1/track", "/v1/batch", "/hooks/{source}")
    routes = [Route(path, post, methods=["POST"]) for path in paths]
    await Server(
        Starlette(routes=routes),
        port=port,
        interface=Interfaces.ASGINL,
        backlog=1_024,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(int(sys.argv[1])))

"""The snippet as it is served; what it does is tried in a browser."""

import gzip

from ingest.static import FILE
from tests.ingest.servers import Client


def test_the_snippet_is_served_packed_and_only_when_it_changed(client: Client) -> None:
    plain = client.get("/cdp.js")
    assert plain.body == FILE.read_bytes()
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "max-age" in plain.headers["cache-control"]
    packed = client.get("/cdp.js", Accept_Encoding="br, gzip;q=0.8")
    assert (packed.headers["content-encoding"], gzip.decompress(packed.body)) == ("gzip", plain.body)
    assert "Accept-Encoding" in packed.headers["vary"]
    for tag in (packed.headers["etag"], f'"other", {packed.headers["etag"]}'):
        again = client.get("/cdp.js", If_None_Match=tag)
        assert (again.status, again.body) == (304, b"")
    assert client.get("/cdp.js", If_None_Match='"other"').status == 200

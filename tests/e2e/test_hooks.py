"""What another system posts, as large as it may be, on its way to a customer and an analyst."""

from pathlib import Path
from typing import Any

import orjson

from deploy.demo.shop import is_ready
from deploy.sources.change import add
from projections.migrate import migrate
from schemas.settings import Settings
from tests.e2e.test_platform import ask
from tests.ingest.hooks import SECRET, post
from tests.ingest.servers import Client
from tests.processes import Process, running
from tests.waiting import until

FANS = {"name": "fans", "adapter": "signed", "trusted": True}


def test_the_largest_event_reaches_its_customer_and_is_kept_as_it_was_sent(
    platform: Settings, tmp_path: Path
) -> None:
    migrate(platform)
    add(platform, FANS, "a test")
    settings = platform.model_copy(update={"secrets": tmp_path})
    (tmp_path / "fans").mkdir()
    (tmp_path / "fans" / "signing_secret").write_text(SECRET)
    link = {"type": "identify", "userId": "ada", "messageId": "m0", "traits": {"email": "ada@example.com"}}
    large: dict[str, Any] = {"event": "Story Told", "messageId": "m1", "traits": {"email": "ada@example.com"}}
    large["properties"] = {"text": "é" * 100_000}
    large["rest"] = "x" * (256 * 1024 - len(orjson.dumps(large | {"rest": ""})))
    with running(*(Process(name, settings) for name in ("sink", "worker", "ingest"))):
        until(lambda: is_ready(settings), "ingest takes events")
        client = Client(settings)
        assert post(client, link).status == 200
        until(lambda: ask(platform, "SELECT 1 FROM profiles"), "Ada is known")
        assert post(client, large).status == 200
        asked = "SELECT context FROM events WHERE message_id = 'm1'"
        until(lambda: ask(platform, asked), "the event is with the analysts")
        ((context,),) = ask(platform, asked)
        assert orjson.loads(context)["original"] == large
        of_her = "SELECT events, identifiers['user_id'] FROM profiles"
        until(lambda: ask(platform, of_her) == [(2, ["ada"])], "it is hers, by way of her e-mail address")

"""A worker on a real Kafka: what a producer wrote becomes states and changes."""

from schemas.settings import Settings
from schemas.topics import LIFECYCLE_CHANGES
from tests.integration.log import changes, until_folded, write
from tests.processes import Process, running
from tests.processors.events import at, clock, customer, event, order


def test_worker_folds_what_a_producer_wrote(deployment: Settings) -> None:
    worker = Process("worker", deployment)
    with running(worker):
        said = [clock(running=False), event("Page Viewed", at("2026-01-01")), order("1", at("2026-01-02"))]
        found = until_folded(deployment, write(deployment, said))
        assert found["user_id:ada"]["parts"]["user_id:ada"]["events"] == 2
        assert worker.end() == 0
    told = changes(deployment, LIFECYCLE_CHANGES)[customer()]
    assert [change["to"] for change in told] == ["prospect", "new"]

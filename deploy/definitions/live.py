"""What the views show of labels at present."""

from deploy.definitions.asking import asked
from deploy.definitions.finish import Tell
from deploy.definitions.standing import missing, standing
from deploy.progress import wait
from projections.connect import retried
from schemas.settings import Settings

PATIENCE = 10.0
_COUNTS = """\
SELECT concat(kind, '/', name, if(value = '', '', concat(' ', value))) AS label, count() FROM portraits GROUP BY label
UNION ALL
SELECT concat('stage ', stage) AS label, count() FROM profiles GROUP BY label
"""


def counts(settings: Settings) -> dict[str, int]:
    """Customers of each label and stage, as the views have them."""
    with asked(settings) as client:
        return dict(retried(settings, lambda: client.execute(_COUNTS), PATIENCE))


def wait_until_shown(settings: Settings, tell: Tell) -> None:
    """Return when the views show all that the workers have written by now."""
    with standing(settings) as at:
        ends = at.ends("state")
        wait(
            lambda: missing(at.written("state"), ends), "the sink does not write", "sink",
            lambda left: tell("ClickHouse takes the labels, offsets left", left),
        )  # fmt: skip

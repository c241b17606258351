"""The page on enrichment says what there is."""

from pathlib import Path

from ingest.enrichment import addresses, campaign
from schemas.sources import Enrichment

PAGE = Path(__file__).parents[3] / "docs" / "enrichment.md"


def test_the_page_names_every_switch_and_what_it_adds() -> None:
    page = PAGE.read_text()
    for switch in Enrichment.model_fields:
        assert f"\n| `{switch}` |" in page
    for name in (*campaign.FIELDS.values(), *addresses.STEPS):
        assert f"`{name}`" in page

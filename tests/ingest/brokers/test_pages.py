"""The pages show the very files that the other tests run."""

import pytest

from tests.ingest.brokers.mosquitto import EXAMPLES


@pytest.mark.parametrize("name", ["mqtt", "pull"])
def test_the_page_shows_the_example(name: str) -> None:
    assert (
        f"```yaml\n{(EXAMPLES / f'{name}.yaml').read_text()}```\n"
        in (EXAMPLES.parent / f"{name}.md").read_text()
    )

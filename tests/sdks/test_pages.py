"""docs/sdks.md gives the lines that the tests run, and the versions that they ran with."""

import re
from pathlib import Path

import pytest

from tests.sdks.registry import DRIVERS, SDKS, Sdk

PAGE = (Path(__file__).parents[2] / "docs/sdks.md").read_text()
BLOCKS = re.findall(r"```(?:python|js)\n(.*?)```", PAGE, re.DOTALL)
DRIVEN = "\n".join(path.read_text() for path in sorted(DRIVERS.iterdir()) if path.is_file())
NAMED = re.compile(r"^(const |client = |analytics = |return )+")


def plain(line: str) -> str:
    """A line without its place in a program: indentation, and what its value is given to."""
    return NAMED.sub("", line.partition("  # noqa")[0].strip())


def test_every_line_of_the_page_is_run() -> None:
    told = [line for block in BLOCKS for line in block.splitlines() if line and "collect.example" not in line]
    run = {plain(line) for line in DRIVEN.splitlines()}
    assert [line for line in told if plain(line) not in run] == []
    assert len(BLOCKS) == 6


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_the_page_names_the_versions_that_were_tested(sdk: Sdk) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {sdk.package} |"))
    assert sdk.version in row

"""Every point of docs/wire-protocol.md is held by a test that names its number."""

import re
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "wire-protocol.md"
POINTS = range(1, 42)


def test_every_point_has_a_test_that_names_its_number() -> None:
    tests = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    named = {int(number) for number in re.findall(r"^def test_(\d\d)_", tests, re.MULTILINE)}
    assert named == set(POINTS)


def test_the_document_names_every_point_and_a_test_that_there_is() -> None:
    page = DOCUMENT.read_text()
    assert [int(number) for number in re.findall(r"^(\d+)\. ", page, re.MULTILINE)] == list(POINTS)
    tests = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    defined = set(re.findall(r"^def (test_\d\d_\w+)\(", tests, re.MULTILINE))
    assert set(re.findall(r"`(test_\d\d_\w+)`", page)) == defined

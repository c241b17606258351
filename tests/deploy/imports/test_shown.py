"""How an import is told: a bar on a terminal, a line now and then elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from deploy.imports import shown
from deploy.imports.files import File
from schemas.imports import ImportedFile

FILE = File(Path("a.csv"), "csv", 1_000, "0" * 32)
DONE = ImportedFile(
    v=1, name="a.csv", mapping="0" * 32, rows=20, events=15, known=2, skipped=1, rejected={"invalid": 2}, done=True,
    at=0,
)  # fmt: skip


def told(*, terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120)
    with shown.telling(console, FILE) as tell:
        for share in (0.25, 0.5, 1.0):
            tell(DONE, share)
    return text.getvalue()


def test_a_terminal_has_a_bar_and_a_log_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a.csv" in told(terminal=True)
    assert told(terminal=False) == ""
    monkeypatch.setattr(shown, "EVERY_S", 0)
    assert told(terminal=False).splitlines() == [f"a.csv: 20 rows, {share}%" for share in (25, 50, 100)]


def test_what_became_of_a_file() -> None:
    assert shown.outcome(FILE, DONE, 2.0, 20) == [
        "a.csv: 20 rows: 15 events, 2 in the log before, 1 left out by the mapping, 2 rejected (10 rows/s)",
        "  invalid: 2",
    ]

"""With no server there, a command says so at once, and what starts them."""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.localstack.ports import free_ports
from schemas.errors import Unavailable

COMMANDS = [
    ("definitions", "preview", "vip"),
    ("definitions", "preview", "vip", "ecommerce"),
    ("definitions", "diff", "ecommerce"),
    ("definitions", "publish", "ecommerce", "--because", "x"),
    ("definitions", "history"),
    ("definitions", "rollback", "segment/vip", "--because", "x"),
    ("definitions", "audit"),
    ("explain", "user_id:ada", "stage"),
    ("identity", "link", "user_id:a", "user_id:b", "--because", "x"),
    ("identity", "split", "user_id:a", "user_id:b", "--because", "x"),
    ("identity", "explain", "user_id:a"),
    ("identity", "simulate"),
    ("profile", "show", "user_id:ada"),
    ("profile", "show", "0f2d6c1f-9a3b-5c5d-8e7f-8091a2b3c4d5"),
    ("thresholds",),
    ("rates", "RATES"),
    ("clock", "hold"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_says_at_once_that_nothing_runs(words: tuple[str, ...], tmp_path: Path) -> None:
    kafka, clickhouse = free_ports(2)
    (tmp_path / "rates.yaml").write_text("EUR: 1.08")
    typed = [str(tmp_path / "rates.yaml") if word == "RATES" else word for word in words]
    env = {
        "CDP_HOME": str(tmp_path), "CDP_KAFKA": f"127.0.0.1:{kafka}", "CDP_CLICKHOUSE_PORT": str(clickhouse),
        "CDP_KEY_SECRET": "s" * 32,
    }  # fmt: skip
    began = time.monotonic()
    done = CliRunner().invoke(app, typed, env=env)
    assert time.monotonic() - began < 3
    assert isinstance(done.exception, Unavailable)
    assert "does not run" in done.exception.what
    assert "`cdp up`" in done.exception.hint

from pathlib import Path

import pytest

from deploy import rates
from deploy.status import show_logs
from schemas.errors import ConfigError, NotFound
from schemas.settings import Settings


def test_the_logs_of_all_workers_have_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "logs").mkdir()
    for name in ("worker-1", "worker-2", "worker-notes", "sink"):
        (tmp_path / "logs" / f"{name}.log").write_text(f"of {name}\n")
    show_logs(settings, "worker", follow=False, lines=5)
    assert capsys.readouterr().out.splitlines() == ["worker-1 | of worker-1", "worker-2 | of worker-2"]
    show_logs(settings, "worker-2", follow=False, lines=5)
    assert capsys.readouterr().out.splitlines() == ["worker-2 | of worker-2"]
    with pytest.raises(NotFound, match="no log of nobody"):
        show_logs(settings, "nobody", follow=False, lines=5)


def test_rates_of_no_file_are_told_what_such_a_file_holds(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as refused:
        rates.publish(Settings(), tmp_path / "nosuch")
    assert "as EUR: 1.08" in refused.value.hint
    assert "preset" not in refused.value.hint

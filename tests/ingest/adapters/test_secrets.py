"""Secrets by file and environment: the newest first, what is rotated too, and never a word of them."""

from pathlib import Path

import pytest

from ingest.adapters.adapter import Adapter, Hook, Named, Taken
from ingest.adapters.secrets import MAX_VALUES, Missing, Secrets, values, variable
from schemas.errors import ConfigError


def take(_: Hook, __: Named, ___: Named) -> Taken:
    return Taken([])


ONE = Adapter("one", "", "social", ("key",), (), take)
MORE = Adapter("more", "", "social", ("key", "token"), (), take, ("aes",))


def check(value: str) -> None:
    if "wrong" in value:
        raise ConfigError("no such key", "nowhere", "copy it from the console")


CHECKED = Adapter("checked", "", "social", ("key", "token"), (), take, checks={"key": check})
NONE = Adapter("none", "", "social", (), (), take)


class Clock:
    now = 1.0

    def __call__(self) -> float:
        return self.now


def put(folder: Path, name: str, text: str | bytes, source: str = "eu-1") -> Path:
    path = folder / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert variable("eu-1", "key") == "CDP_SECRET_EU_1_KEY"
    assert values(tmp_path, "eu-1", "key") == values(None, "eu-1", "key") == []
    monkeypatch.setenv("CDP_SECRET_EU_1_KEY", " of the environment\n")
    assert values(tmp_path, "eu-1", "key") == values(None, "eu-1", "key") == ["of the environment"]
    put(tmp_path, "key", "new\r\n\nold\n")
    assert values(tmp_path, "eu-1", "key") == ["new", "old"]
    assert values(tmp_path, "eu", "key") == []


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00"])
def test_what_cannot_be_read_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("CDP_SECRET_EU_1_KEY", "of the environment")
    put(tmp_path, "key", content)
    assert values(tmp_path, "eu-1", "key") == []
    (tmp_path / "eu-1" / "folder").mkdir()
    assert values(tmp_path, "eu-1", "folder") == []


def test_only_so_many_are_tried(tmp_path: Path) -> None:
    put(tmp_path, "key", "x\n" * 1_000)
    assert len(Secrets(tmp_path).of("eu-1", ONE)) == MAX_VALUES


def test_values_of_several_go_together_in_their_order(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path, Clock())
    put(tmp_path, "key", "k1\nk2")
    put(tmp_path, "token", "t1")
    assert secrets.of("eu-1", MORE) == [{"key": "k1", "token": "t1"}, {"key": "k2", "token": "t1"}]
    put(tmp_path, "aes", "a1\na2\na3")
    found = Secrets(tmp_path, Clock()).of("eu-1", MORE)
    assert [each["aes"] for each in found] == ["a1", "a2", "a3"]
    assert [each["key"] for each in found] == ["k1", "k2", "k2"]
    assert secrets.of("eu-1", NONE) == [{}], "of an adapter that verifies otherwise"


def test_a_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    secrets = Secrets(tmp_path, clock)
    put(tmp_path, "key", "k1")
    assert secrets.of("eu-1", ONE) == [{"key": "k1"}]
    put(tmp_path, "key", "k2")
    assert secrets.of("eu-1", ONE) == [{"key": "k1"}]
    clock.now += 2
    assert secrets.of("eu-1", ONE) == [{"key": "k2"}]
    put(tmp_path, "key", "").unlink()
    clock.now += 2
    with pytest.raises(Missing):
        secrets.of("eu-1", ONE)


def test_what_is_missing_is_told_once_until_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    secrets = Secrets(tmp_path, clock)
    put(tmp_path, "token", "the-secret-itself")

    def missing() -> str:
        for _ in range(3):
            with pytest.raises(Missing) as caught:
                secrets.of("eu-1", MORE)
            assert "the-secret-itself" not in repr(caught.value)
        said = capsys.readouterr()
        return said.out + said.err

    told = missing()
    assert told.count("a secret is missing") == 1
    assert str(tmp_path / "eu-1" / "key") in told
    assert "CDP_SECRET_EU_1_KEY" in told
    assert "the-secret-itself" not in told
    assert missing() == ""
    path = put(tmp_path, "key", "k1")
    assert secrets.of("eu-1", MORE)
    path.unlink()
    clock.now += 2
    assert missing().count("a secret is missing") == 1


def test_what_cannot_be_used_is_told_once_by_its_name_and_never_its_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    secrets = Secrets(tmp_path, clock)
    put(tmp_path, "token", "t1\nt2")
    put(tmp_path, "key", "wrong-itself")

    def said() -> str:
        clock.now += 2
        captured = capsys.readouterr()
        return captured.out + captured.err

    for _ in range(3):
        with pytest.raises(Missing):
            secrets.of("eu-1", CHECKED)
        clock.now += 2
    told = said()
    assert told.count("a secret cannot be used: no such key; copy it from the console") == 1
    assert "secret=key" in told
    assert str(tmp_path / "eu-1" / "key") in told
    assert "wrong-itself" not in told
    put(tmp_path, "key", "wrong-itself\nk2")
    assert secrets.of("eu-1", CHECKED) == [{"key": "k2", "token": "t2"}], "what is rotated goes on"
    assert said() == ""
    put(tmp_path, "key", "k1\nk2")
    assert len(secrets.of("eu-1", CHECKED)) == 2
    put(tmp_path, "key", "wrong-again")
    said()
    with pytest.raises(Missing):
        secrets.of("eu-1", CHECKED)
    assert said().count("a secret cannot be used") == 1
    put(tmp_path, "key", "")
    with pytest.raises(Missing):
        secrets.of("eu-1", CHECKED)
    assert said().count("a secret is missing") == 1

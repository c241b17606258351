"""The settings of this process, the local stack's own key secret among them."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr, ValidationError

from schemas.errors import ConfigError
from schemas.settings import Settings


def load_settings(*, create_secret: bool = False) -> Settings:
    """Read the settings from the environment; ConfigError names each that cannot be used.

    Where CDP_KEY_SECRET is not set, the key secret is what `cdp up` made and keeps in `<home>/key_secret`.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())
        raise ConfigError("settings that cannot be used", problems, "settings are CDP_* variables") from None
    if settings.key_secret.get_secret_value():
        return settings
    path = settings.home / "key_secret"
    if create_secret and not path.exists():
        _create(path)
    if not path.exists():
        return settings
    return settings.model_copy(update={"key_secret": SecretStr(path.read_text().strip())})


def environment(settings: Settings) -> dict[str, str]:
    """Return what a child process needs in its environment beside ours."""
    return {"CDP_KEY_SECRET": settings.key_secret.get_secret_value()}


def _variable(location: tuple[int | str, ...]) -> str:
    return "CDP_" + "_".join(str(part) for part in location).upper()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")

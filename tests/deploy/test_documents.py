from deploy.documents import documents, stale
from schemas.settings import Settings


def test_the_pages_are_current() -> None:
    assert stale() == [], "run python -m deploy.documents"


def test_the_default_of_an_option_is_told() -> None:
    page = documents()["commands.md"]
    assert "0 for a leaked key. Default: `7d`." in page
    assert "How many days back. Default: `7`." in page


def test_every_setting_says_what_it_is_for() -> None:
    page = documents()["settings.md"]
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no description"
        assert f"`CDP_{name.upper()}`" in page

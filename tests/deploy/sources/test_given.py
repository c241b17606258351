import pytest

from deploy.sources.given import grace, terms
from schemas.errors import ConfigError
from schemas.event import Channel


@pytest.mark.parametrize(
    ("text", "ms"),
    [("7d", 604_800_000), ("12h", 43_200_000), ("30m", 1_800_000), ("45s", 45_000), ("0", 0), ("0d", 0)],
)
def test_a_grace_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert grace(text) == ms


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-1d", "1.5h", "7 d", "forever", "367d", "999999999999d", "7d\n"]
)
def test_what_is_no_grace_is_told_with_one_that_is(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grace(text)
    assert (caught.value.where, caught.value.hint) == ("--grace", "as 7d, 12h, 30m or 0")


def test_what_is_not_given_changes_nothing() -> None:
    assert terms() == {}
    assert terms(trusted=False) == {"trusted": False}


def test_every_term_can_be_given_and_taken_back() -> None:
    given = terms(
        Channel.WEB, True, "user_id, email", ["https://a.example", "https://b.example"], "5", "70", "GB",
        ["geo=off", "ip=keep"],
    )  # fmt: skip
    assert given == {
        "channel": "web",
        "trusted": True,
        "namespaces": ["user_id", "email"],
        "origins": ["https://a.example", "https://b.example"],
        "rate": "5",
        "quota": "70",
        "phone_region": "GB",
        "enrichment": {"geo": False, "ip": "keep"},
    }
    back = terms(namespaces="all", origins=["any"], rate="none", quota="none", phone_region="none")
    assert back == {"namespaces": "all", "origins": "any", "rate": None, "quota": None, "phone_region": None}


@pytest.mark.parametrize("text", ["geo", "geo=", "colour=on", "=on"])
def test_what_cannot_be_enriched_is_told(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        terms(enrich=[text])
    assert caught.value.where == "--enrich"

import random
import unicodedata

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import PRESETS, read_yaml, validate
from schemas.identity import NORMALISERS, IdentityRules, Keys, fingerprint, namespace_of, split_namespace

RULES = validate(IdentityRules, read_yaml(PRESETS / "identity.yaml"), "preset")
SECRET = "a secret of the golden values, 32+"
KEYS = Keys(RULES, SECRET)


@pytest.mark.parametrize(
    ("namespace", "value", "region", "key", "normal"),
    [
        ("user_id", "42", None, "user_id:f842083bdfbf36348ad7242a013c6f73", "42"),
        ("email", " Ada@Example.COM ", None, "email:bbf7a8703dbb91c5ddf19083028009f8", "ada@example.com"),
        ("phone", "138 0013 8000", "CN", "phone:6c2da70d28491dc643d6b45f27d98bf1", "+8613800138000"),
        ("phone", "+49 30 901820", None, "phone:33c3c96cbc972a2f0c2f3ac7112f154f", "+4930901820"),
        ("membership_card", "ab-12 34", None, "membership_card:d9ac8933a28070b5662dfff5bfe91aac", "AB1234"),
        ("wechat_openid/wx1", "oABC", None, "wechat_openid/wx1:dfb9963eb6ab3c6c9e01bd1983bf874e", "oABC"),
        ("anonymous_id", "e\u0301", None, "anonymous_id:88d55a1bb7191d5233392bc028054b20", "\u00e9"),
        ("shop_customer/S-1", "7", None, "shop_customer/S-1:e8b7cd87ebffce02d5cdf6fda627a893", "7"),
    ],
)
def test_keys_never_change(namespace: str, value: str, region: str | None, key: str, normal: str) -> None:
    """These keys stand in logs: whoever changes this test parts every customer from their past."""
    assert KEYS.key(namespace, value, region) == (key, normal)


def test_the_fingerprint_of_a_secret_never_changes() -> None:
    assert fingerprint(SECRET) == "d7d0cc99ea4df3d9"


def test_the_order_of_namespaces_never_changes() -> None:
    """It decides which identifier of an event is its primary, so which partition owns it."""
    assert [namespace.name for namespace in RULES.namespaces] == [
        "user_id",
        "membership_card",
        "shop_customer",
        "phone",
        "email",
        "wechat_unionid",
        "wechat_openid",
        "wecom_external_userid",
        "weibo_uid",
        "douyin_openid",
        "facebook_psid",
        "instagram_id",
        "anonymous_id",
        "device_id",
        "shop_order",
        "brand_account",
    ]


@given(
    st.text(st.characters(exclude_characters="+\uff0b"), max_size=40)
    | st.from_regex(r"[0-9 ()./;x=tel:-]{1,30}", fullmatch=True)
)
def test_a_phone_number_without_a_plus_needs_a_region(value: str) -> None:
    """So that it is not asked of the library, which takes its time to say so."""
    with pytest.raises(phonenumbers.NumberParseException):
        phonenumbers.parse(value, None)
    with pytest.raises(ValueError, match="country"):
        NORMALISERS["phone"](value, None)


def test_an_address_is_what_the_rules_for_addresses_make_of_it() -> None:
    """The short way for plain ones makes no difference."""
    dice = random.Random(1)
    names = (
        "ada",
        "Ada.Lovelace",
        "a+b_c-d",
        "a.",
        ".a",
        "a..b",
        "",
        "a b",
        "ä",
        "a@b",
        '"a"',
        "x" * 64,
        "x" * 65,
        "o'hara",
    )
    domains = (
        "example.com",
        "EXAMPLE.Com",
        "example",
        "test",
        "a.test",
        "localhost",
        "-a.com",
        "a-.com",
        "a..com",
        ".com",
        "bücher.example",
        "xn--bcher-kva.example",
        "XN--bcher-kva.example",
        "[127.0.0.1]",
        "1.2.3.4",
        "a_b.com",
        "x" * 63 + ".com",
        "x" * 64 + ".com",
        ".".join(["y" * 60] * 4) + ".com",
        "a.c",
        "a.1",
        " a.com",
        "a.com.",
        "",
    )
    for name in names:
        for domain in domains:
            address = f"{name}@{domain}" if dice.random() < 0.95 else f"{name}{domain}"
            try:
                wanted = validate_email(address, check_deliverability=False).normalized.lower()
            except EmailNotValidError:
                wanted = None
            try:
                assert NORMALISERS["email"](address, None) == wanted
            except ValueError:
                assert wanted is None, address


@pytest.mark.parametrize(
    ("namespace", "one", "other", "region"),
    [
        ("email", "ADA@EXAMPLE.COM", "ada@example.com", None),
        ("email", "a@xn--exmple-cua.com", "a@exämple.com", None),
        ("phone", "(202) 555-0143", "+12025550143", "US"),
        ("phone", "tel:+1-202-555-0143", "+1 202 555 0143", None),
        ("phone", "030 901820", "+4930901820", "DE"),
        ("membership_card", "ab 12-34", "AB1234", None),
        ("user_id", " 42\n", "42", None),
        ("user_id", "Ame\u0301lie", "Amélie", None),
    ],
)
def test_one_person_written_two_ways_has_one_key(
    namespace: str, one: str, other: str, region: str | None
) -> None:
    assert KEYS.key(namespace, one, region) == KEYS.key(namespace, other, region)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("user_id", "ada"), ("user_id", "Ada")),
        (("user_id", "42"), ("anonymous_id", "42")),
        (("wechat_openid/wx1", "o"), ("wechat_openid/wx2", "o")),
        (("wechat_openid/wx1", "o"), ("douyin_openid/wx1", "o")),
    ],
)
def test_different_identifiers_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert KEYS.key(*one)[0] != KEYS.key(*other)[0]


def test_another_secret_gives_other_keys() -> None:
    assert Keys(RULES, "another secret").key("user_id", "42")[0] != KEYS.key("user_id", "42")[0]


BLOCKED = [
    "",
    " ",
    "null",
    "NULL",
    "undefined",
    "None",
    "anonymous",
    "Guest",
    "0",
    "-1",
    "000",
    "0.0",
    "-",
    "...",
    "[object Object]",
    "00000000-0000-0000-0000-000000000000",
    "N/A",
    "nan",
    "{{user_id}}",
    "\ud800",
    "\u200b",
]


@pytest.mark.parametrize("value", BLOCKED)
@pytest.mark.parametrize("namespace", ["user_id", "anonymous_id", "membership_card", "wechat_openid/a"])
def test_blocked_values_identify_nobody(namespace: str, value: str) -> None:
    with pytest.raises(ValueError, match="identifies nobody"):
        KEYS.key(namespace, value)


@pytest.mark.parametrize(
    ("namespace", "value", "region"),
    [
        ("membership_card", "n u l l", None),
        ("phone", "+86 000 0000 0000", None),
        ("email", "test@test.com", None),
        ("email", "nobody", None),
        ("email", "a@@b.com", None),
        ("phone", "13800138000", None),
        ("phone", "12", "US"),
        ("phone", "call me", "DE"),
        ("user_id", "x" * 513, None),
        ("user_id", "a\ud800", None),
        ("telepathy", "x", None),
        ("user_id/scope", "x", None),
        ("wechat_openid", "x", None),
        ("wechat_openid/a b", "x", None),
        ("wechat_openid/a:b", "x", None),
        ("wechat_openid/a/b", "x", None),
        ("wechat_openid/" + "a" * 65, "x", None),
        ("", "x", None),
    ],
)
def test_what_cannot_be_an_identifier_is_a_reason_without_the_value(
    namespace: str, value: str, region: str | None
) -> None:
    with pytest.raises(ValueError) as caught:
        KEYS.key(namespace, value, region)
    assert len(value) < 3 or value not in str(caught.value)


values = st.text(min_size=1, max_size=40)
namespaces = st.sampled_from(
    ["user_id", "membership_card", "email", "phone", "wechat_openid/wx", "anonymous_id"]
)


@given(namespaces, values | st.emails())
def test_a_normalised_value_is_its_own_normal_form_and_no_key_shows_it(namespace: str, value: str) -> None:
    try:
        key, normal = KEYS.key(namespace, value, "CN")
    except ValueError:
        return
    assert KEYS.key(namespace, normal) == (key, normal)
    assert unicodedata.is_normalized("NFC", normal)
    assert namespace_of(key) == namespace
    digest = key.removeprefix(f"{namespace}:")
    assert len(bytes.fromhex(digest)) == 16
    assert " " not in key, "keys are joined by a space in a header"
    assert len(normal) < 4 or normal not in key


@given(st.lists(st.tuples(namespaces, st.integers(1, 99).map(str)), max_size=12, unique=True), st.data())
def test_identifiers_have_one_total_order(some: list[tuple[str, str]], data: st.DataObject) -> None:
    named = [
        KEYS.key(namespace, f"a{value}") for namespace, value in some if namespace not in ("email", "phone")
    ]
    keys = [key for key, _ in named]
    ordered = sorted(keys, key=KEYS.order)
    assert sorted(data.draw(st.permutations(keys)), key=KEYS.order) == ordered
    assert len({KEYS.order(key) for key in keys}) == len(set(keys))
    ranks = [RULES.ranks()[split_namespace(namespace_of(key))[0]] for key in ordered]
    assert ranks == sorted(ranks), "priority of namespaces first"


def test_blocked_values_are_compared_and_written_in_one_form() -> None:
    rules = IdentityRules.model_validate(
        {
            "kind": "identity",
            "name": "x",
            "version": 1,
            "namespaces": [{"name": "a"}],
            "blocked": [" N/A", "Test", "b"],
        }
    )
    with pytest.raises(ValueError, match="identifies nobody"):
        Keys(rules, SECRET).key("a", "n/a")
    assert rules.model_dump(mode="json")["blocked"] == ["b", "n/a", "test"], (
        "a record in the log has one form"
    )
    assert IdentityRules.model_validate_json(rules.model_dump_json()) == rules

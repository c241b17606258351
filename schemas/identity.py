"""What identifies a customer: namespaces, their order, normalisation and blocked values; and the keys.

A key is pseudonymous: `namespace:` + a keyed BLAKE2b digest of the normalised value (RFC 7693, 16 bytes,
hex). The namespace of an id that means something only within an account is scoped first:
`wechat_openid/APPID:…`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, Self

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

MAX_VALUE = 512
SCOPE = re.compile(r"[A-Za-z0-9._@-]{1,64}")
PLAIN = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
"""The name of a mailbox of which no rule needs to be asked."""
PLUS = frozenset("+\uff0b")
"""What an international number has before its country's code."""


class Namespace(BaseModel):
    """One kind of identifier."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    normalise: Literal["exact", "email", "phone", "card"] = "exact"
    scoped: bool = Field(
        False, description="written namespace/SCOPE: the id means something only within an account"
    )
    personal: bool = Field(True, description="not to be shown on public topics")
    unique: bool = Field(False, description="a customer has one; two make two customers, alias excepted")
    shared: bool = Field(False, description="several customers may use it: it joins only the first")
    limit: int = Field(
        20,
        ge=1,
        le=100,
        strict=True,
        description="linked with more identifiers of one namespace than this it is crowded and joins nobody",
    )
    countless: bool = Field(
        False, description="a customer may have any number of it, as of orders: it makes nobody else crowded"
    )
    about: str = ""


class IdentityRules(BaseModel):
    """`identity.yaml`: a definition in the log like the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["identity"]
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    version: int = Field(ge=1, le=1_000_000)
    namespaces: tuple[Namespace, ...] = Field(min_length=1, max_length=64)
    blocked: frozenset[str] = Field(
        frozenset(), description="values that identify nobody, in any case of letters"
    )

    @field_validator("blocked")
    @classmethod
    def _compared_in_lower_case(cls, blocked: frozenset[str]) -> frozenset[str]:
        return frozenset(value.strip().lower() for value in blocked)

    @field_serializer("blocked")
    def _in_one_order(self, blocked: frozenset[str]) -> list[str]:
        return sorted(blocked)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [n.name for n in self.namespaces]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"namespaces named twice: {', '.join(twice)}")
        return self

    def ranks(self) -> dict[str, int]:
        """Place of each namespace in the order; 0 is the greatest."""
        return {n.name: place for place, n in enumerate(self.namespaces)}


Place = tuple[int, str, str]
"""Where an identifier stands in the total order: the greatest has the smallest place."""


def place_of(ranks: dict[str, int], key: str) -> Place:
    """The place of a key: its namespace's rank, then its digest."""
    namespace, _, digest = key.partition(":")
    return ranks.get(split_namespace(namespace)[0], 1_000_000), digest, namespace


def _exact(value: str, _region: str | None) -> str:
    return value


def _card(value: str, _region: str | None) -> str:
    return re.sub(r"[\s-]", "", value).upper()


def _email(value: str, _region: str | None) -> str:
    """Almost all addresses are a plain name at a domain seen before: only their domain is held to the rules."""
    name, _, domain = value.rpartition("@")
    if len(value) <= 254 and domain.isascii() and "xn--" not in domain.lower() and PLAIN.fullmatch(name):
        return f"{name.lower()}@{_domain(domain)}"
    return _valid(value)


@lru_cache(maxsize=8_192)
def _domain(domain: str) -> str:
    return _valid(f"a@{domain}")[2:]


def _valid(address: str) -> str:
    try:
        checked = validate_email(address, check_deliverability=False, allow_domain_literal=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return checked.normalized.lower()


def _phone(value: str, region: str | None) -> str:
    if region is None and PLUS.isdisjoint(value):  # which takes a while to be found out
        raise ValueError("a phone number without its country's code")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(str(error)) from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("not a possible phone number")
    if not number.national_number:
        raise ValueError("a phone number of nothing but zeros")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


NORMALISERS: dict[str, Callable[[str, str | None], str]] = {
    "exact": _exact,
    "card": _card,
    "email": _email,
    "phone": _phone,
}


def split_namespace(namespace: str) -> tuple[str, str]:
    """`wechat_openid/APP` -> (`wechat_openid`, `APP`); the scope is empty where there is none."""
    name, _, scope = namespace.partition("/")
    return name, scope


def namespace_of(key: str) -> str:
    """The namespace of a key, with its scope."""
    return key[: key.index(":")]


class Keys:
    """Identifiers to keys, under one deployment's rules and secret. Pure; remembers 65,536 answers."""

    def __init__(self, rules: IdentityRules, secret: str) -> None:
        self.rules = rules
        self._by_name = {n.name: n for n in rules.namespaces}
        self._ranks = rules.ranks()
        self._secret = hashlib.blake2b(secret.encode(), digest_size=32).digest()
        self.key = lru_cache(maxsize=65_536)(self._key)
        self._rule_of = lru_cache(maxsize=1_024)(self._scoped)

    def rule(self, name: str) -> Namespace | None:
        """What holds for a namespace, its scope left out; None where there is none."""
        return self._by_name.get(name)

    def normalise(self, namespace: str, value: str, region: str | None = None) -> str:
        """The normalised value; ValueError says why it identifies nobody (never naming the value)."""
        rule = self._rule_of(namespace)
        plain = unicodedata.normalize("NFC", value).strip()
        bare = plain.lower()
        if len(plain) > MAX_VALUE:
            raise ValueError(f"longer than {MAX_VALUE} characters")
        if self._is_blocked(bare):
            raise ValueError("a value that identifies nobody")
        normal = NORMALISERS[rule.normalise](plain, region)
        if normal != plain and self._is_blocked(normal.lower()):
            raise ValueError("a value that identifies nobody")
        return normal

    def _scoped(self, namespace: str) -> Namespace:
        name, scope = split_namespace(namespace)
        rule = self._by_name.get(name)
        if rule is None:
            raise ValueError(f"unknown namespace {name[:40]!r}")
        if rule.scoped != bool(scope) or (scope and not SCOPE.fullmatch(scope)):
            raise ValueError(f"{name} is written {name}/SCOPE" if rule.scoped else f"{name} takes no scope")
        return rule

    def _is_blocked(self, bare: str) -> bool:
        return bare in self.rules.blocked or not any(map(str.isalnum, bare)) or not bare.strip("0-. ")

    def _key(self, namespace: str, value: str, region: str | None = None) -> tuple[str, str]:
        normal = self.normalise(namespace, value, region)
        digest = hashlib.blake2b(
            normal.encode("utf-8"), digest_size=16, key=self._secret, person=b"cdp-key-v1"
        )
        return f"{namespace}:{digest.hexdigest()}", normal

    def order(self, key: str) -> Place:
        """Sort key of the total order of identifiers: the greatest comes first."""
        return place_of(self._ranks, key)


def fingerprint(secret: str) -> str:
    """What genesis keeps of the key secret: enough to tell two apart, too little to find it."""
    return hashlib.blake2b(secret.encode(), digest_size=8, person=b"cdp-secret-v1").hexdigest()

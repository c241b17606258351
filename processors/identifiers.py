"""Identity rules, compiled: the order of identifiers, and which are unique, shared or crowded. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from schemas.identity import IdentityRules, Place, namespace_of, place_of, split_namespace


class Identifiers:
    """What the fold asks about keys, under one version of the rules."""

    def __init__(self, rules: IdentityRules) -> None:
        self._ranks = rules.ranks()
        self._unique = frozenset(n.name for n in rules.namespaces if n.unique)
        self._shared = frozenset(n.name for n in rules.namespaces if n.shared)
        self._limits = {n.name: n.limit for n in rules.namespaces}
        self._countless = frozenset(n.name for n in rules.namespaces if n.countless)
        self.place = lru_cache(maxsize=8_192)(self._place)

    def greater(self, a: str, b: str) -> bool:
        """Whether the first comes before the second in the total order."""
        return self.place(a) < self.place(b)

    def sorted(self, keys: Iterable[str]) -> list[str]:
        """The keys, greatest first."""
        return sorted(keys, key=self.place)

    def unique_namespace(self, key: str) -> str | None:
        """The namespace, with its scope, of which a customer has only one value; None where it may have several."""
        namespace = namespace_of(key)
        return namespace if split_namespace(namespace)[0] in self._unique else None

    def is_shared(self, key: str) -> bool:
        """Whether several customers may use the identifier."""
        return _bare(key) in self._shared

    def crowded(self, links: Iterable[str]) -> frozenset[str]:
        """The identifiers that are linked with more of one namespace than their limit: they join nobody.

        Of what a customer has any number, as of orders, none is too many.
        """
        met: dict[tuple[str, str], set[str]] = {}
        for pair in links:
            a, b = ends(pair)
            if _bare(b) not in self._countless:
                met.setdefault((a, _bare(b)), set()).add(b)
            if _bare(a) not in self._countless:
                met.setdefault((b, _bare(a)), set()).add(a)
        return frozenset(
            key for (key, _), others in met.items() if len(others) > self._limits.get(_bare(key), 1)
        )

    def is_countless(self, key: str) -> bool:
        """Whether a customer may have any number of such identifiers, as of orders."""
        return _bare(key) in self._countless

    def _place(self, key: str) -> Place:
        return place_of(self._ranks, key)


def ends(pair: str) -> tuple[str, str]:
    """The two identifiers of a pair, the greater first."""
    greater, _, lesser = pair.partition(" ")
    return greater, lesser


@lru_cache(maxsize=8_192)
def _bare(key: str) -> str:
    return split_namespace(namespace_of(key))[0]

"""Questions about definitions, as queries."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from projections.conditions import labels as columns
from projections.conditions.operators import Scope
from projections.conditions.parameters import Parameters
from projections.conditions.scan import Scan
from schemas.graph import Defined, name_of
from schemas.lifecycle import Lifecycle
from schemas.portrait import Thresholds, Value

_CUSTOMERS = """\
WITH customers AS (
    SELECT customer_id, keys, event_counts, channels, purchases, contracts, renewals, revenue_by_currency, traits,
           toInt32(toDate32(greatest(logical_at, fromUnixTimestamp64Milli(toInt64({now}), 'UTC')), {zone})) AS today,
           toInt32(toDate32(first_own, {zone})) AS first_own_day, toInt32(toDate32(last_own, {zone})) AS last_own_day,
           toInt32(toDate32OrNull(contract_end)) AS contract_end_day
    FROM profiles_raw FINAL
)
"""


_PROFILES = "/*profiles*/"


class Context(NamedTuple):
    """What is in force. `now`: Unix ms; `definitions`: all that the one that is asked about may refer to."""

    now: int
    timezone: str
    currency: str
    definitions: tuple[Defined, ...] = ()
    rates: Mapping[str, Decimal] = {}
    thresholds: Thresholds | None = None


class Query(NamedTuple):
    """A query and what its placeholders stand for."""

    sql: str
    params: dict[str, Any]


def members(definition: Defined, context: Context) -> Query:
    """Every customer that carries the label: (customer_id, value); a stage's, a tier's or a tag's value, else ""."""
    return _labelled(definition, context, "SELECT customer_id, label FROM ({})")


def count(definition: Defined, context: Context) -> Query:
    """How many carry the label, by its value: (value, customers)."""
    return _labelled(definition, context, "SELECT label, count() FROM ({}) GROUP BY label ORDER BY label")


def preview(definition: Defined, context: Context, size: int = 10) -> Query:
    """How many carry the label and some who do, by its value, in one scan: (value, customers, [customer_id]).

    They are the same ones each time.
    """
    some = f"groupArraySorted({int(size)})((cityHash64(customer_id), customer_id))"
    return _labelled(
        definition, context,
        f"SELECT label, count(), arrayMap(x -> x.2, {some}) FROM ({{}}) GROUP BY label ORDER BY label",
    )  # fmt: skip


def sample(definition: Defined, context: Context, size: int = 10) -> Query:
    """Some who carry the label, the same ones each time: (customer_id, value, identifiers)."""
    chosen = "SELECT customer_id, label FROM ({}) ORDER BY cityHash64(customer_id) LIMIT " + str(int(size))
    return _labelled(
        definition, context, f"SELECT customer_id, label, identifiers FROM ({chosen}) AS chosen "
        "INNER JOIN (SELECT customer_id, identifiers FROM profiles_raw FINAL) AS p USING customer_id "
        "ORDER BY cityHash64(customer_id)",
    )  # fmt: skip


def difference(
    before: Defined | None, after: Defined | None, context: Context, earlier: Context | None = None
) -> Query:
    """Whose label changes: (customer_id, value before, value after), NULL where it is not carried.

    `before` is asked with the definitions and thresholds of `earlier`, `after` with those of the context; one of the
    two may be None.
    """
    scope = _scope(context)
    source, labels = _PROFILES, []
    for side, (definition, asked) in {"b": (before, earlier or context), "a": (after, context)}.items():
        if definition is None:
            labels.append("CAST(NULL AS Nullable(String))")
        else:
            mine = scope._replace(labels={})
            source = _over(
                columns.layers(columns.needed([definition], asked.definitions), mine, asked.thresholds, side),
                source,
            )
            labels.append(_label(definition, mine))
    return _query(
        f"SELECT customer_id, {labels[0]} AS was, {labels[1]} AS becomes FROM {{}} WHERE was IS DISTINCT FROM becomes",
        source, scope, context,
    )  # fmt: skip


def labels(context: Context) -> Query:
    """Every customer with all its labels: (customer_id, stage, [(kind/name, value)], [scores]).

    The stage is "" where there is no lifecycle; scores are those of relationship, frequency and monetary, 0 where there
    are none.
    """
    scope = _scope(context)
    known = columns.needed(context.definitions, context.definitions)
    source = _over(columns.layers(known, scope, context.thresholds, "d"), _PROFILES)
    p, named = scope.parameters, [each for each in known if not isinstance(each, Lifecycle)]
    pairs = ", ".join(f"({p.of(name_of(each))}, {_label(each, scope)})" for each in named)
    carried = f"arrayFilter(x -> x.2 IS NOT NULL, [{pairs}])"
    scores = ", ".join(scope.labels.get(score, "0") for score in columns.SCORES)
    return _query(
        f"SELECT customer_id, {scope.labels.get('stage', repr(''))} AS stage, {carried}, [{scores}] FROM {{}}",
        source, scope, context,
    )  # fmt: skip


def measured(value: Value, context: Context) -> Query:
    """What scores are made of: (customer_id, relationship, frequency, monetary) of who did anything of their own."""
    scope = _scope(context)
    numbers = ", ".join(columns.measured(value, scope))
    return _query(
        f"SELECT customer_id, {numbers} FROM {{}} WHERE first_own_day IS NOT NULL", _PROFILES, scope, context
    )


def _scope(context: Context) -> Scope:
    parameters = Parameters()
    rates = {code: f"{rate:f}" for code, rate in context.rates.items()} | {"": "1", context.currency: "1"}
    return Scope(Scan(parameters, context.timezone, rates), parameters, {})


def _labelled(definition: Defined, context: Context, question: str) -> Query:
    """A question about (customer_id, label) of who carries a label."""
    scope = _scope(context)
    known = columns.needed([definition], context.definitions)
    source = _over(columns.layers(known, scope, context.thresholds, "d"), _PROFILES)
    label = _label(definition, scope)
    carried = f"SELECT customer_id, assumeNotNull({label}) AS label FROM {{}} WHERE {label} IS NOT NULL"
    return _query(question.format(carried), source, scope, context)


def _label(definition: Defined, scope: Scope) -> str:
    """The label as a text, NULL where it is not carried."""
    column = columns.column_of(definition, scope)
    if definition.kind in ("segment", "role"):
        return f"if({column}, '', NULL)"
    return f"nullIf({column}, '')"


def _over(layers: list[columns.Layer], source: str) -> str:
    for layer in layers:
        more = "".join(f", {sql} AS {name}" for name, sql in layer.items())
        source = f"(SELECT *{more}\nFROM {source})"
    return source


def _query(question: str, source: str, scope: Scope, context: Context) -> Query:
    """`question` with its {} the source, whose own is the customers and what the scan gives of them."""
    customers = _CUSTOMERS.format(
        now=scope.parameters.of(context.now), zone=scope.parameters.of(context.timezone)
    )
    scan = f" LEFT JOIN ({scope.scan.sql()}) AS e USING customer_id" if scope.scan.columns else ""
    profiles = f"(SELECT * FROM customers{scan})"
    return Query(
        customers + question.replace("{}", source.replace(_PROFILES, profiles)), scope.parameters.values
    )

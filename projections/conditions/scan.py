"""One scan of the events for all that conditions ask of them: for each customer a column of each leaf."""

from collections.abc import Iterable
from datetime import date

from projections.conditions import values
from projections.conditions.parameters import Parameters
from schemas.conditions import Events
from schemas.leaves import Leaf

_EPOCH = date(1970, 1, 1)
# What an operator stated or a bot sent is nothing that a customer did, and what the fold refused is no event.
_EVENTS = """\
SELECT key, name, properties, message_id, toUnixTimestamp64Milli(occurred_at) AS ms,
       toInt32(toDate32(occurred_at, {timezone})) AS day
FROM events_raw FINAL
WHERE name IN {names} AND type NOT IN ('link', 'split') AND NOT bot
  AND (kafka_topic, kafka_partition, kafka_offset) NOT IN (
      SELECT splitByChar('/', place)[1], toUInt32OrZero(splitByChar('/', place)[2]),
             toUInt64OrZero(splitByChar('/', place)[3])
      FROM rejected_raw WHERE NOT startsWith(place, kafka_topic))"""

# JSON is read before the join: what it is read from need not go through it.
_WHOSE = (
    "LEFT SEMI JOIN (SELECT arrayJoin(keys) AS key, customer_id, today FROM customers) AS whose USING key"
)


class Scan:
    """What is read of events, and what is made of it.

    Of each event: `name`, `ms`, `day`, `message_id`, and `today` of its customer; of a path `v0` (JSON texts), `t0`
    (texts), `n0` (numbers), ...; `rate` of its amounts, 0 where there is none. Of each customer: `e0`, `e1`, ...
    """

    def __init__(self, parameters: Parameters, timezone: str, rates: dict[str, str]) -> None:
        self.parameters, self.timezone, self.rates = parameters, timezone, rates
        self.columns: dict[str, str] = {}
        self._paths: dict[str, tuple[str, set[str]]] = {}
        self._names: set[str] = set()

    def column(self, aggregate: str, names: Iterable[str]) -> str:
        """The column of an aggregate over events of these names."""
        self._names.update(names)
        return self.columns.setdefault(aggregate, f"e{len(self.columns)}")

    def path(self, path: str, names: Iterable[str]) -> tuple[str, str, str]:
        """The columns of a path of events of these names: JSON texts, texts, numbers."""
        number, known = self._paths.setdefault(path, (str(len(self._paths)), set()))
        known.update(names)
        return f"v{number}", f"t{number}", f"n{number}"

    def matches(self, of: Events | Leaf) -> str:
        """Whether an event is one of these, and of their days."""
        names = of.events if isinstance(of, Leaf) else of.event
        tests = [f"name IN {self.parameters.texts(names)}"]
        for one in of.where:
            columns = self.path(one.property, names)
            tests.append(values.passes(one, *columns, self.parameters))
        if isinstance(of, Leaf):
            tests += self._days(of)
        return " AND ".join(tests)

    def _days(self, leaf: Leaf) -> list[str]:
        if leaf.between:
            first, last = (self.parameters.of((day - _EPOCH).days) for day in leaf.between)
            return [f"day BETWEEN {first} AND {last}"]
        return [f"day > today - {self.parameters.of(leaf.days)} AND day <= today"] if leaf.days else []

    def sql(self) -> str:
        """A row a customer who has such events: `customer_id` and the columns."""
        source = _EVENTS.format(
            timezone=self.parameters.of(self.timezone), names=self.parameters.texts(self._names)
        )
        texts = {f"t{n}": values.texts(f"v{n}") for n, _ in self._paths.values()}
        numbers = {f"n{n}": values.numbers(f"t{n}") for n, _ in self._paths.values()}
        for columns in (self._raws(), texts, numbers | self._rate()):
            source = _with(columns, source)
        aggregates = "".join(f",\n       {sql} AS {name}" for sql, name in self.columns.items())
        return f"SELECT customer_id{aggregates}\nFROM ({source}) AS e\n{_WHOSE}\nGROUP BY customer_id"

    def _raws(self) -> dict[str, str]:
        """JSON is read only of events that are asked for it; around the reading, `if` would have it done twice."""
        found = {}
        for path, (number, names) in self._paths.items():
            asked = f"if(name IN {self.parameters.texts(names)}, properties, '')"
            json = "properties" if names == self._names else asked
            found[f"v{number}"] = values.raws(json, tuple(path.split(".")), self.parameters)
        return found

    def _rate(self) -> dict[str, str]:
        if not self._paths:
            return {}
        return {"rate": rate(values.currency("properties"), self.rates, self.parameters)}


def rate(currency: str, rates: dict[str, str], parameters: Parameters) -> str:
    """What one unit of a currency is in the deployment's, 0 where that is not known."""
    codes, amounts = parameters.listed(rates), parameters.listed(rates.values())
    return f"arrayMap(x -> toDecimal256(x, 9), {amounts})[indexOf({codes}, {currency})]"


def _with(columns: dict[str, str], source: str) -> str:
    if not columns:
        return source
    more = "".join(f",\n       {sql} AS {name}" for name, sql in columns.items())
    return f"SELECT *{more}\nFROM ({source})"

"""Rates of currencies: what one unit is in the deployment's, published as data."""

import logging
from pathlib import Path

from deploy.announce import announce, newest
from deploy.definitions.history import History
from deploy.init import joined
from schemas.definitions import read_yaml, validate
from schemas.errors import ConfigError
from schemas.portrait import Rates
from schemas.settings import Settings

NAME = "main"
HINT = "a YAML file of currencies and what one of each is in yours, as EUR: 1.08"


def publish(settings: Settings, file: Path) -> Rates | None:
    """Put the rates of a YAML file in force, currency: rate; None where they are already.

    ConfigError where they are none, Unavailable without Kafka.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    if not file.exists():
        raise ConfigError("no such file", str(file), HINT)
    rates = _read(file, joined(settings).currency)

    def make(history: History) -> Rates | None:
        known = newest(history, Rates, NAME)
        if known is not None and known.rates == rates.rates:
            return None
        return rates.model_copy(update={"version": known.version + 1 if known else 1})

    return announce(settings, "rates", make)


def _read(file: Path, currency: str) -> Rates:
    found = read_yaml(file)
    if not isinstance(found, dict):
        raise ConfigError("rates are a mapping of currencies to numbers", str(file), HINT)
    rates = validate(Rates, {"kind": "rates", "name": NAME, "version": 1, "rates": found}, str(file))
    if rates.rates.get(currency, 1) != 1:
        raise ConfigError(
            f"{currency} is the deployment's own currency: one of it is one", str(file), "leave it out"
        )
    return rates

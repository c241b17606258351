"""What to try after the demo."""

import shlex

from rich.console import Console

from deploy.demo.shop import source, url
from schemas.settings import Settings
from schemas.topics import LIFECYCLE_CHANGES

QUESTION = "SELECT stage, count(), sum(revenue) FROM profiles GROUP BY stage FORMAT PrettyCompact"


def try_next(settings: Settings, console: Console, customer: str, joined: str | None) -> None:
    """Print commands that work as they stand; secrets that are not the local defaults are left out."""
    key = source(settings).write_key.get_secret_value() if settings.sources is None else "WRITE_KEY"
    local = settings.analyst_password == type(settings).model_fields["analyst_password"].default
    password = settings.analyst_password.get_secret_value() if local else "PASSWORD"
    http = f"http://{settings.clickhouse_host}:{settings.clickhouse_http_port}/?database={settings.clickhouse_database}"
    steps = {
        "Look at one customer": f"cdp profile show {shlex.quote(f'user_id:{customer}')}",
        "See why, by which events, and when that changes by itself": (
            f"cdp explain {shlex.quote(f'user_id:{customer}')} stage"
        ),
        **({"See why one of them is one customer": f"cdp identity explain {joined}"} if joined else {}),
        "Ask your own question (docs/views.md)": (
            f"curl -s '{http}' -u {settings.analyst_user}:{password} -d '{QUESTION}'"
        ),
        "Subscribe to the changes (docs/topics.md), here from now on": (
            'python -c "from kafka import KafkaConsumer; [print(r.value.decode()) for r in KafkaConsumer('
            f"'{LIFECYCLE_CHANGES.name(settings.namespace)}', bootstrap_servers='{settings.kafka}', "
            "isolation_level='read_committed')]\""
        ),
        "And meanwhile let somebody buy for the first time": (
            f"curl -s {url(settings)}/v1/track -u {key}: -d "
            '\'{"userId":"me","event":"Order Completed","properties":{"order_id":"1","total":"12.50"}}\''
        ),
    }
    console.print("\n[bold]Try next[/bold]")
    for what, command in steps.items():
        console.print(f"  {what}:", highlight=False, style="dim")
        console.print(f"    {command}", highlight=False, soft_wrap=True, markup=False)

"""ClickHouse on loopback: the `clickhouse` binary where there is one, else the embedded engine."""

import hashlib
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from clickhouse_driver import Client

from deploy.localstack import tools
from deploy.localstack.ports import LOOPBACK
from deploy.program import Program
from projections.access import grants

CONFIG = """\
<clickhouse>
    <logger><level>warning</level>{console}</logger>
    <path>{folder}/data/</path>
    <tmp_path>{folder}/data/tmp/</tmp_path>
    <user_files_path>{folder}/data/user_files/</user_files_path>
    <listen_host>{host}</listen_host>
    <tcp_port>{tcp_port}</tcp_port>
    <http_port>{http_port}</http_port>
    <user_directories><users_xml><path>{folder}/users.xml</path></users_xml></user_directories>
    <!-- a developer's machine: 2 cores, and Kafka and the workers beside it -->
    <max_server_memory_usage>3221225472</max_server_memory_usage>
    <mark_cache_size>134217728</mark_cache_size>
    <max_concurrent_queries>50</max_concurrent_queries>
    <background_pool_size>4</background_pool_size>
    <background_schedule_pool_size>16</background_schedule_pool_size>
    <merge_tree>
        <number_of_free_entries_in_pool_to_execute_mutation>2</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>2</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>2</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    </merge_tree>
</clickhouse>
"""
# `default` is the embedded engine's own session. It cannot have a password, so it may do nothing but serve.
USERS = """\
<clickhouse>
    <profiles>
        <default><max_memory_usage>2147483648</max_memory_usage></default>
        <analyst>
            <readonly>2</readonly>
            <max_memory_usage>1073741824</max_memory_usage>
            <max_execution_time>60</max_execution_time>
            <constraints>
                <max_memory_usage><max>1073741824</max></max_memory_usage>
                <max_execution_time><max>60</max></max_execution_time>
            </constraints>
        </analyst>
    </profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <password/>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <grants>
                <query>GRANT SYSTEM LISTEN, CREATE TEMPORARY TABLE ON *.*</query>
                <query>GRANT READ ON FILE</query>
            </grants>
        </default>
{users}
    </users>
</clickhouse>
"""
USER = """\
        <{name}>
            <password_sha256_hex>{digest}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>{profile}</profile>
            <quota>default</quota>
            {rights}
        </{name}>"""
ALL_RIGHTS = "<access_management>1</access_management>"


@dataclass(frozen=True)
class Users:
    """Who may connect: one that writes and may do everything, one that only reads the views of `database`."""

    writer: str = "cdp"
    writer_password: str = "cdp"  # noqa: S105 - a default on loopback
    analyst: str = "analyst"
    analyst_password: str = "analyst"  # noqa: S105
    database: str = "cdp"


def start_clickhouse(folder: Path, tcp_port: int, http_port: int, users: Users | None = None) -> Program:
    """Start a server on the data of `folder`, made on first use; call `wait_ready` on what this returns."""
    program = clickhouse(folder, tcp_port, http_port, users or Users())
    program.start()
    return program


def clickhouse(folder: Path, tcp_port: int, http_port: int, users: Users, log: Path | None = None) -> Program:
    """Prepare the folder and return the server, not started; it logs to `folder` unless told otherwise."""
    folder = folder.absolute()
    (folder / "data/user_files").mkdir(parents=True, exist_ok=True)
    (folder / "users.xml").write_text(users_xml(users))
    (folder / "config.xml").write_text(
        CONFIG.format(
            folder=escape(str(folder)),
            host=LOOPBACK,
            tcp_port=tcp_port,
            http_port=http_port,
            # the embedded engine, told to log there, takes no heed of the level and logs every query
            console="<console>1</console>" if tools.clickhouse_binary() else "",
        )
    )
    return Program(
        "clickhouse",
        _argv(folder, tcp_port, http_port),
        log or folder / "clickhouse.log",
        check=lambda: check_clickhouse(LOOPBACK, tcp_port, http_port, users),
        env={"CLICKHOUSE_WATCHDOG_ENABLE": "0"},
    )


def users_xml(users: Users) -> str:
    """Return ClickHouse's users file; passwords stand there as digests."""
    queries = "".join(f"<query>{escape(grant)}</query>" for grant in grants(users.database))
    return USERS.format(
        users="\n".join(
            (
                _user(users.writer, users.writer_password, "default", ALL_RIGHTS),
                _user(users.analyst, users.analyst_password, "analyst", f"<grants>{queries}</grants>"),
            )
        )
    )


def check_clickhouse(host: str, tcp_port: int, http_port: int, users: Users) -> None:
    """Return when the server answers the writer by both protocols; raise otherwise, within a few seconds."""
    with urllib.request.urlopen(f"http://{host}:{http_port}/ping", timeout=4) as answer:
        answer.read()
    client = Client(
        host,
        tcp_port,
        user=users.writer,
        password=users.writer_password,
        connect_timeout=4,
        send_receive_timeout=4,
    )
    try:
        client.execute("SELECT 1")
    finally:
        client.disconnect()


def _argv(folder: Path, tcp_port: int, http_port: int) -> list[str]:
    config = str(folder / "config.xml")
    binary = tools.clickhouse_binary()
    if binary is not None:
        return [binary, "server", "--config-file", config]
    library = str(tools.chdb_library())
    module = "deploy.localstack.chdb_main"
    return [
        sys.executable,
        "-m",
        module,
        library,
        config,
        str(folder / "data"),
        str(tcp_port),
        str(http_port),
    ]


def _user(name: str, password: str, profile: str, rights: str) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return USER.format(name=name, digest=digest, profile=profile, rights=rights)

#!/usr/bin/env bash
# Brings all that the project needs into .venv and .tools; make runs it before everything else.
# `setup.sh tests` also brings what only the tests need: a browser, an MQTT broker, and the SDKs that must work unmodified.
# Each step leaves a stamp, the hash of what it was made from, so a second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
for_tests=${1:-}

mkdir -p .tools
exec 9>.tools/lock
flock 9

say() { printf 'setup: %s\n' "$*" >&2; }

# The stamp lies in the folder that it vouches for; the path is in it because .venv cannot be moved.
stamp() { { pwd; cat "$@"; } | sha256sum; }
fresh() { [[ -e $1 && $(stamp "${@:2}") == "$(<"$1")" ]]; }

has_python() { python3 -c 'import ensurepip, sys, venv; assert sys.version_info >= (3, 11)' 2>/dev/null; }
has_java() { java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])'; }
wants_chdb() { ! command -v clickhouse >/dev/null && [[ $(uname -sm) == 'Linux x86_64' ]]; }

wants_node() { [[ $for_tests ]] || wants_chdb; }

missing_packages() {
    has_python || echo python3 python3-venv
    has_java || echo openjdk-17-jre-headless
    command -v mvn >/dev/null || echo maven
    ! wants_node || command -v node >/dev/null || echo nodejs
    ! wants_node || command -v npm >/dev/null || echo npm
    [[ ! $for_tests ]] || command -v chromium >/dev/null || echo chromium
    [[ ! $for_tests ]] || [[ -x /usr/sbin/mosquitto ]] || command -v mosquitto >/dev/null || echo mosquitto
}

bring_packages() {
    local packages
    packages=$(missing_packages | xargs)
    [[ -n $packages ]] || return 0
    if [[ $EUID == 0 ]] && command -v apt-get >/dev/null; then
        say "installing $packages"
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
        packages=$(missing_packages | xargs)
    fi
    [[ -z $packages ]] || { say "missing: $packages; on Debian: sudo apt-get install $packages"; exit 1; }
}

bring_python() {
    say "Python packages into .venv"
    .venv/bin/python -c "" 2>/dev/null || python3 -m venv --clear .venv
    .venv/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
}

bring_project() {
    .venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
}

bring_kafka() {
    say "Kafka into .tools/kafka"
    rm -rf .tools/kafka
    mvn -q -B -f deploy/localstack/kafka/pom.xml dependency:copy-dependencies \
        -DoutputDirectory="$PWD/.tools/kafka"
}

bring_chdb() {
    say "ClickHouse into .tools/chdb"
    mkdir -p .tools/chdb
    cp deploy/localstack/chdb/{package.json,package-lock.json,.npmrc} .tools/chdb/
    npm ci --prefix .tools/chdb --no-audit --no-fund --loglevel=error
}

bring_sdks() {
    say "SDKs for the tests into .tools/sdks"
    mkdir -p .tools/sdks
    cp tests/sdks/node/{package.json,package-lock.json,.npmrc} .tools/sdks/
    npm ci --prefix .tools/sdks --ignore-scripts --no-audit --no-fund --loglevel=error
}

bring_segment() {
    say "segment-analytics-python 2.3.4 into .tools/segment-2.3.4"
    rm -rf .tools/segment-2.3.4
    .venv/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps \
        --target .tools/segment-2.3.4 -r tests/sdks/segment-2.3.4/requirements.txt
}

# step FOLDER NAME INPUT: bring_NAME, unless what FOLDER holds was made from the same INPUT
step() {
    fresh "$1/.$2" "$3" && return
    "bring_$2"
    stamp "$3" >"$1/.$2"
}

bring_packages
step .venv python requirements.txt
step .venv project pyproject.toml
step .tools/kafka kafka deploy/localstack/kafka/pom.xml
if wants_chdb; then
    step .tools/chdb chdb deploy/localstack/chdb/package-lock.json
elif ! command -v clickhouse >/dev/null; then
    say "no ClickHouse package for $(uname -sm): put a clickhouse binary on PATH, or use deploy/compose.yaml"
fi
if [[ $for_tests ]]; then
    step .tools/sdks sdks tests/sdks/node/package-lock.json
    step .tools/segment-2.3.4 segment tests/sdks/segment-2.3.4/requirements.txt
fi

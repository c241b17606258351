.DEFAULT_GOAL := help
.PHONY: help ready setup demo test check bench up down lock

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

ready: ## bring all that is needed into .venv and .tools (the others do it by themselves)
	@deploy/setup.sh

setup: ## the same, and what only the tests need: a browser, and SDKs
	@deploy/setup.sh tests

demo: ready ## run the platform on 18 months of real purchases and show what it knows
	@.venv/bin/cdp demo

test: setup ## run all tests
	@.venv/bin/pytest -n 2 --dist worksteal

check: ready ## lint, format, types and import rules
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: ready ## measure, beside the limits
	@.venv/bin/python -m bench

up: ready ## start the local stack and the platform
	@.venv/bin/cdp up

down: ready ## stop them
	@.venv/bin/cdp down

UV_LOCK = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
OLD_SDK = tests/sdks/segment-2.3.4

lock: ready ## write every requirements.txt anew (the image's has no tools, an old SDK's goes into a folder of its own)
	@$(UV_LOCK) pyproject.toml --all-extras --upgrade --output-file requirements.txt
	@$(UV_LOCK) pyproject.toml --constraint requirements.txt --output-file deploy/requirements.txt
	@$(UV_LOCK) $(OLD_SDK)/requirements.in --output-file $(OLD_SDK)/requirements.txt

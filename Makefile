.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench up down lock

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## bring all that is needed into .venv and .tools (the others do it by themselves)
	@deploy/setup.sh

demo: setup ## run the platform on 18 months of real purchases and show what it knows
	@.venv/bin/cdp demo

test: setup ## run all tests
	@.venv/bin/pytest -n 2 --dist worksteal

check: setup ## lint, format, types and import rules
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: setup ## measure, beside the limits
	@.venv/bin/python -m bench

up: setup ## start the local stack and the platform
	@.venv/bin/cdp up

down: setup ## stop them
	@.venv/bin/cdp down

UV_LOCK = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

lock: setup ## write both requirements.txt anew from pyproject.toml (the image's has no tools)
	@$(UV_LOCK) --all-extras --upgrade --output-file requirements.txt
	@$(UV_LOCK) --constraint requirements.txt --output-file deploy/requirements.txt

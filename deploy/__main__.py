"""`python -m deploy` is `cdp`."""

from deploy.cli import main

main()

"""What runs it all: the `cdp` command line, the supervised local stack, compose."""

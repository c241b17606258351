"""The commands of `cdp`, a file a group; each imports what it runs when it runs."""

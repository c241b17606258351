"""HTTP and file sources to the log of events."""

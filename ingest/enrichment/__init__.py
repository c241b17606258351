"""What ingest adds to an event's context, a module each; `registry` says which and in which order."""

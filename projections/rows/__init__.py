"""Records to rows, one module a topic: pure."""

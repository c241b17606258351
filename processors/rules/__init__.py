"""The rules of `handle`, one a file, each a function that changes the state that it owns."""

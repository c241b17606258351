"""Benchmarks: what the platform does on this machine, each figure beside its limit. `python -m bench [NAME ...]`."""

"""Tests of `cdp import`."""

"""Tracking plans in the log: trying them on what was sent, publishing and showing them."""

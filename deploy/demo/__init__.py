"""The demo: 18 months of a music shop's real orders, through the whole platform."""

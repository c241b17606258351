"""The nouns of the platform. Pure: no I/O but reading files, and nothing of the other rooms."""

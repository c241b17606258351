"""The life of definitions: what a folder would change, publishing it, its history, and whether it is what is live."""

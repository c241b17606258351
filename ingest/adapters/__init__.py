"""What other systems send in formats of their own, made into events: one file and one registry line each."""

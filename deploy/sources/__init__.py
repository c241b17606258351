"""Sources in the log: how they come there, and how operators change them."""

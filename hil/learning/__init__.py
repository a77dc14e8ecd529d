"""A device learns while the reference computes the same, and both are compared."""

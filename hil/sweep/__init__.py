"""A sweep: many experiments, each a run of its own, and one table of them."""

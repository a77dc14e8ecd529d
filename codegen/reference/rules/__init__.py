"""The numpy twins of the learning rules.

A module here carries the name of its rule ("-" written "_") and one function,
`step(learner, x, label, eta) -> Result`, which computes every delta before it
changes the first weight.
"""

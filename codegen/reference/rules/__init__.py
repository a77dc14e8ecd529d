"""The numpy twins of the learning rules.

A module here carries the name of its rule ("-" written "_") and one function,
`step(machine, x, t, eta)`: one step from the network's input x [n_in] towards the
target t [n_out]. It computes every delta before it changes the first weight, unless
its rule learns in passing. It is written from the rule's equation, and has tensors
computed, named and changed by the machine alone (`codegen.reference.machine`).
"""

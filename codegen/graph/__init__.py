"""A model of somebody else's, as a value: what a .tflite file holds.

`reading.read` makes a `description.Graph` of bytes that nobody vouches for.
`support.problems` lists what in it this project does not compute, `arena.plan` says
where its activations may lie. The folder `operators` has one file for each operator.
"""

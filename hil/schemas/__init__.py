"""JSON Schema of the files that people write and that hil writes, and the schemas as files.

`KINDS` makes them from what checks the files. The files beside this one are what
`hil schema` prints; `make schemas` writes them anew.
"""

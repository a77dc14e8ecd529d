"""An imported model as a program: calls of kernels of the kernel table.

`program(graph)` lowers a graph that is supported: what depends on constants alone is
computed here, zero points go into biases, and factors become constants. Activations lie
where `codegen.graph.arena` puts them.
"""

from codegen.lowering.lower import GraphProgram, program

__all__ = ["GraphProgram", "program"]

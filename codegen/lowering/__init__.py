"""An imported model as a program: calls of kernels of the kernel table.

`program(graph)` lowers a graph that is supported: what depends on constants alone is
computed here, zero points go into biases, and factors become constants. Activations lie
where `codegen.graph.arena` puts them. `activations(graph)` is what they alone take.
"""

from codegen.lowering.lower import GraphProgram, activations, program

__all__ = ["GraphProgram", "activations", "program"]

"""The numpy twins of operators, a file each, written from the specification of
TensorFlow Lite's reference kernels: `compute(operator, given)`, the output of arrays.
"""

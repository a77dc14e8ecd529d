"""From a build plan to an image: compilers, objects, and what was built before."""

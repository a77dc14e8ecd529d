"""The numpy twins of the layer kinds: a file each, written from the operations that
every format has (`codegen.reference.operations`)."""

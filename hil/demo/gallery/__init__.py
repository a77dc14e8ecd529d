"""The demos that ship: a TOML file and a page of Python each."""

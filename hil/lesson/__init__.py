"""An experiment made concrete: its data, target, network and image."""

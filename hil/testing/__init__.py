"""What the pytest plugin (hil/pytest_plugin.py) asks for and reports."""

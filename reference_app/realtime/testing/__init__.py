"""What a project needs to test its own topics and consumers; begin with `fixtures.py`."""

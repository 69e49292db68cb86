"""What a project needs to test its own topics and consumers. Begin with `fixtures.py`."""

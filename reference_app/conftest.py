"""Lets the tests of `realtime/` take part in the lanes of this project, which stay behind."""

pytest_plugins = ["tests.lanes"]

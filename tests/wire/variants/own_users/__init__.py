"""A project with a user model of its own, which OWN_USER names, and organizations of its own.

Of `reference_app` it has `realtime` only.
"""

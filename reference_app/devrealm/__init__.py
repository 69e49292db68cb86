"""A stand-in for one Keycloak realm: its URL shapes, its claims, its errors. For laptops and tests.

Only `config.settings.local` installs it, and `manage.py check --deploy` refuses it.
"""

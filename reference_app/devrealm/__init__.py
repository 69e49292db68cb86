"""A stand-in for one Keycloak realm, with its addresses, claims and errors, for laptops and tests.

Only `config.settings.local` installs it, and `manage.py check --deploy` refuses it.
"""

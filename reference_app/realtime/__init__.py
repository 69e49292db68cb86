"""Authenticated WebSockets for Django Channels, with delivery that signals every loss.

`README.md` beside this file is the contract and the recipe; start reading in `consumer.py`.
"""

__version__ = "0.1.0"

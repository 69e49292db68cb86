"""The demo is a page that shows the whole stack at work, and a command that serves it."""

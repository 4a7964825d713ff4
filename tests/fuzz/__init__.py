"""Hostile messages, many of them: `python -m tests.fuzz`."""

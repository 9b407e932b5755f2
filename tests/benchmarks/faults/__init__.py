"""Breaks what a running panel stands on, one thing after the other, and watches it."""

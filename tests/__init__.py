"""Tests: `python3 -m unittest` from the project's root."""

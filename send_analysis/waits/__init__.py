"""Waits for children's health services."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

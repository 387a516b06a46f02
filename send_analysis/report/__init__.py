"""Notebooks rendered to pages."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

"""A published transition model, run on its own files."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

"""Official releases: where they are, and what is new. Nothing else opens a connection."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

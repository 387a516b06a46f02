"""How many EHC plans there will be, and how sure that is."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

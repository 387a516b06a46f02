"""Why the number of EHC plans grew, in an area and in England."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

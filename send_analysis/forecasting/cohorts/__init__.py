"""EHC plans by age and setting, simulated year by year."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

"""Places, staff and money that the plans will need."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

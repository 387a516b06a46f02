"""What families meet: support at school, the time to a plan, appeals."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__)

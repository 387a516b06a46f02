"""What was claimed, and what official statistics say of it."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(__name__, ledger="verdicts")

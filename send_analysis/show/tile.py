"""A figure for the first page of an area: what it is, its value, and what that means."""

from typing import NamedTuple


class Tile(NamedTuple):
    """One figure that answers "so what" in a sentence.

    Parameters
    ----------
    label : str
        What the figure is, with its date.
    value : str
        The figure, as it is printed.
    words : str
        One sentence that it is read with: compared with what, out of how many, how sure.
    """

    label: str
    value: str
    words: str

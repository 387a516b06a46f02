"""How charts, tables and words look, in JupyterLab and on pages."""

from send_analysis import lazy

__getattr__, __dir__ = lazy.face(
    __name__,
    Chart="chart",
    Table="table",
    finding="page",
    note="page",
    said="page",
    Tile="chart",
    show="page",
    summary="page",
)

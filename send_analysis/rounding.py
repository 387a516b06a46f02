"""Whole numbers that add up as the figures that they stand for do."""

from __future__ import annotations

import numpy as np

from send_analysis.errors import ParameterError


def controlled_rounding(values: np.ndarray) -> np.ndarray:
    """Round a table to whole numbers so that its sums still add.

    Parameters
    ----------
    values : ndarray (rows, columns)
        Of either sign.

    Returns
    -------
    ndarray of int (rows, columns)
        Each cell is its value rounded up or down; so is each sum of a row or column; the sum of
        all cells is the nearest whole number. Of all such tables, one whose sums of rows and
        columns differ least from the exact ones, in absolute terms, and then whose cells do.

    Raises
    ------
    ParameterError
        If `values` is not a table of finite numbers.

    Notes
    -----
    Zero-restricted controlled rounding of a two-way table always exists: it is a flow in a network
    whose bounds are whole numbers, so the linear programme has a solution in whole numbers (Cox,
    L. H. and Ernst, L. R. (1982), Controlled rounding, *INFOR* 20, 423–432).
    """
    from scipy import optimize

    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ParameterError("Controlled rounding takes a table of finite numbers.")
    # 1e-9: a sum of decimals that is a whole number can miss it by the last bits
    floor = np.floor(values + 1e-9)
    part = np.clip(values - floor, 0.0, 1.0)
    part[part < 1e-9] = 0.0
    rows, columns = values.shape
    sums = np.vstack(
        [
            np.kron(np.eye(rows), np.ones(columns)),
            np.kron(np.ones(rows), np.eye(columns)),
            np.ones(rows * columns),
        ]
    )
    wanted = sums @ part.ravel()
    low, high = np.floor(wanted + 1e-9), np.ceil(wanted - 1e-9)
    low[-1] = high[-1] = np.floor(wanted[-1] + 0.5)
    # What rounding up adds to the differences: of a cell, and, weighing more, of its sums.
    off = 1 - 2 * (wanted - low)[:-1]
    more = part.size + 1
    cost = 1 - 2 * part + more * (off[:rows, None] + off[rows:])
    solved = optimize.milp(
        cost.ravel(),
        constraints=optimize.LinearConstraint(sums, low, high),
        bounds=optimize.Bounds(0, np.ceil(part.ravel())),
        integrality=np.ones(rows * columns),
    )
    up = np.rint(solved.x).reshape(values.shape)
    return (floor + up).astype(np.int64)

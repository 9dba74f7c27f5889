"""Tables for the terminal: one seed in full, many seeds as coverage and bias.

What belongs here: how comparisons are summed up and shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import sqrt
from statistics import fmean, stdev

from rich.table import Table

from accuracy.compare import Comparison, Row


def seed_tables(comparison: Comparison) -> list[Table]:
    """Metrics of the newest trailing year, the cells of all periods, and the foundations."""
    metrics = Table(title="Newest trailing year, company-wide", title_justify="left")
    for name in ("metric", "truth", "parameter", "estimate", "interval", "covered", "equal", ""):
        metrics.add_column(name, justify="right" if name in _NUMBERS else "left")
    for row in comparison.metrics:
        metrics.add_row(
            row.metric_id,
            _number(row.realised),
            _number(row.parameter),
            _number(row.estimate),
            "" if row.low is None else f"{_number(row.low)} – {_number(row.high)}",
            f"{_word(row.covers(row.realised))} / {_word(row.covers(row.parameter))}",
            _word(row.is_equal),
            row.note,
        )
    cells = Table(title="All months, quarters and years", title_justify="left")
    for name in ("metric", "cells", "equal"):
        cells.add_column(name, justify="right" if name != "metric" else "left")
    for metric_id, n, equal in comparison.cells:
        cells.add_row(metric_id, f"{n:,}", f"{equal:,}")
    foundations = Table(title="What the metrics stand on", title_justify="left")
    for name in ("what", "truth", "estimate", "off by", ""):
        foundations.add_column(name, justify="right" if name in _NUMBERS else "left")
    for row in comparison.foundations:
        foundations.add_row(
            row.metric_id, _number(row.realised), _number(row.estimate), _off(row), row.note
        )
    return [metrics, cells, foundations]


def coverage_tables(comparisons: Sequence[Comparison]) -> list[Table]:
    """Over many seeds: how often intervals hold the truth, and how far estimates are off.

    Behind ± stands one standard error over the seeds.
    """
    metrics = Table(title=f"{len(comparisons)} seeds: newest trailing year", title_justify="left")
    metrics.add_column("metric")
    for name in (
        "seeds",
        "covers truth",
        "covers parameter",
        "off truth",
        "off parameter",
        "equal",
    ):
        metrics.add_column(name, justify="right")
    metrics.add_column("")
    for metric_id, rows in _grouped(comparisons, lambda c: c.metrics).items():
        told = [row for row in rows if row.estimate is not None]
        metrics.add_row(
            metric_id,
            str(len(told)),
            _share([row.covers(row.realised) for row in told]),
            _share([row.covers(row.parameter) for row in told]),
            _bias([_difference(row.estimate, row.realised) for row in told]),
            _bias([_difference(row.estimate, row.parameter) for row in told]),
            _share([row.is_equal for row in told]),
            "" if told else rows[0].note,
        )
    foundations = Table(title="What the metrics stand on", title_justify="left")
    for name in ("what", "truth", "estimate", "off by"):
        foundations.add_column(name, justify="right" if name != "what" else "left")
    for metric_id, rows in _grouped(comparisons, lambda c: c.foundations).items():
        foundations.add_row(
            metric_id,
            _number(_mean([row.realised for row in rows])),
            _number(_mean([row.estimate for row in rows])),
            _bias([_difference(row.estimate, row.realised) for row in rows]),
        )
    return [metrics, foundations]


_NUMBERS = {"truth", "parameter", "estimate", "interval", "off by"}


def _grouped(
    comparisons: Sequence[Comparison], rows_of: Callable[[Comparison], Sequence[Row]]
) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for comparison in comparisons:
        for row in rows_of(comparison):
            grouped[row.metric_id].append(row)
    return dict(sorted(grouped.items()))


def _difference(estimate: float | None, truth: float | None) -> float | None:
    return None if estimate is None or truth is None else estimate - truth


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _share(flags: Sequence[bool | None]) -> str:
    """Share of the known flags with its binomial standard error."""
    known = [flag for flag in flags if flag is not None]
    if not known:
        return ""
    p = fmean(known)
    return f"{p:.1%} ± {sqrt(p * (1 - p) / len(known)):.1%}"


def _bias(differences: Sequence[float | None]) -> str:
    known = [difference for difference in differences if difference is not None]
    if not known:
        return ""
    error = f" ± {stdev(known) / sqrt(len(known)):.3g}" if len(known) > 1 else ""
    return f"{fmean(known):+.3g}{error}"


def _off(row: Row) -> str:
    difference = _difference(row.estimate, row.realised)
    return "" if difference is None else f"{difference:+.4g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _word(flag: bool | None) -> str:
    return {True: "yes", False: "no", None: "–"}[flag]

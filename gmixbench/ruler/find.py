"""Findings of a history: what is wrong with releases, and where their metrics changed."""

from gmixbench.ruler.changes import Findings
from gmixbench.ruler.history import History
from gmixbench.ruler.notices import find_notices
from gmixbench.ruler.series import find_series


def find(history: History) -> Findings:
    """Findings of a history: what is wrong with releases, then where their metrics changed.

    Metrics are those of `ruler.tracked`; sessions are joined as `ruler.joining` says; how a change
    is told from noise, and the rate of false alarms, is said in `ruler.segments`; which runs share
    their noise, in `ruler.streams`. Of all series together at most `ruler.series.PAGE_ALARMS`
    of histories without a change show any.
    """
    series, unjoined = find_series(history)
    return Findings((*find_notices(history), *unjoined), series)

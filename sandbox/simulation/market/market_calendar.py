"""The market's own calendar: how far back the CRM remembers, and what money was worth when.

What belongs here: dates and rates that do not depend on the random seed. What does not: anything
drawn. The governed seed `exchange_rates` states the same rates; a test compares the two.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

SALES_BEGIN = date(2023, 1, 1)
"""The CRM remembers more than the simulated years."""
COMPANY_CURRENCY = "EUR"
QUARTERS = tuple(date(year, month, 1) for year in range(2023, 2028) for month in (1, 4, 7, 10))
RATES = {
    currency: tuple(float(rate) for rate in rates.split())
    for currency, rates in {
        COMPANY_CURRENCY: " ".join(["1"] * len(QUARTERS)),
        "USD": "0.934 0.917 0.921 0.948 0.909 0.926 0.932 0.899 0.966 0.925 0.853 0.852 0.861"
        " 0.870 0.876 0.868 0.859 0.863 0.871 0.866",
        "GBP": "1.128 1.139 1.163 1.153 1.154 1.168 1.180 1.201 1.204 1.193 1.168 1.146 1.151"
        " 1.158 1.149 1.142 1.155 1.161 1.152 1.147",
        "SGD": "0.697 0.690 0.681 0.693 0.688 0.686 0.687 0.699 0.707 0.688 0.669 0.661 0.667"
        " 0.673 0.677 0.671 0.665 0.669 0.674 0.670",
    }.items()
}
"""EUR for one unit, from the first day of each quarter on."""


def rates_at(
    currency: npt.NDArray[np.str_], when: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.float64]:
    """EUR for one unit of each currency at each moment."""
    quarter = np.searchsorted(np.array(QUARTERS, dtype="datetime64[s]"), when, side="right") - 1
    rates = np.ones(len(when))
    for name, values in RATES.items():
        rates = np.where(currency == name, np.array(values)[quarter], rates)
    return rates

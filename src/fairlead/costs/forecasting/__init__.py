"""Forecasts of spending: what a period will come to, how sure that is, and when it cannot be said."""

from fairlead.costs.forecasting.drivers import driven, numbers_in, numbers_of
from fairlead.costs.forecasting.forecast import forecast
from fairlead.costs.forecasting.methods import Series, series_of
from fairlead.costs.forecasting.scopes import series_by_scope
from fairlead.costs.forecasting.types import Accuracy, Forecast, Past

__all__ = [
    "Accuracy",
    "Forecast",
    "Past",
    "Series",
    "driven",
    "forecast",
    "numbers_in",
    "numbers_of",
    "series_by_scope",
    "series_of",
]

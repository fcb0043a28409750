"""Police custody: drug tests and Required Assessments, and the charges that courts are told of."""

from adapters.police_custody.adapter import build

__all__ = ["build"]

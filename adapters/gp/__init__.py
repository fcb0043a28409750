"""General practice: who is referred for drug treatment, and where people are registered."""

from adapters.gp.adapter import build

__all__ = ["build"]

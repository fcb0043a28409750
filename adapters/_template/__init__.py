"""Referrals by a template agency."""

from adapters._template.adapter import build

__all__ = ["build"]

"""The codes of a self-referral, and our meanings. Both lists are our own contract's; no public form has any."""

from typing import Final

from adapters.base import CodeTable
from schemas.base import Sex
from schemas.imprisonment import Substance

SUBSTANCES: Final = CodeTable("self_referral.substance", {substance.value: substance for substance in Substance})

SEXES: Final = CodeTable("self_referral.sex", {sex.value: sex for sex in Sex})

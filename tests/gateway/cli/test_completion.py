"""The Tab key offers what there is to choose from."""

import pytest
from typer.testing import CliRunner

from gateway.cli import app


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("lgw check --as pr", ["prison", "probation"]),
        ("lgw send x --as g", ["gp"]),
        ("lgw conform dw", ["dwp"]),
        ("lgw trigger custody.assessment.v", ["custody.assessment.varied"]),
        ("lgw queue --reason no_l", ["no_lasars"]),
        ("lgw verify", ["verify-signature"]),
    ],
)
def test_what_has_been_begun_is_completed(typed: str, offered: list[str]) -> None:
    """Agencies, kinds of event, reasons and commands, as bash asks for them."""
    asked = {"_LGW_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    told = CliRunner().invoke(app, prog_name="lgw", env=asked)
    assert told.output.split() == offered

"""`lgw up`: the whole gateway on this machine, kept up for a person to play with."""

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from gateway.local.cast import LASARS, SENDERS
from gateway.local.command import lgw
from gateway.local.ports import LOOPBACK
from gateway.local.steps import Steps
from gateway.local.system import Plan, Ports, System, family, start
from gateway.settings import Settings

EXAMPLE: Final = "contracts/inbound/police_custody/examples/accepted/follow-up-required.xml"


def up(data: Path, *, brokers: int, recipients: bool, console: Console, settings: Settings) -> int:
    """Start everything, say where it is, and keep it up until Ctrl-C. Returns 0.

    recipients: play the eight LASARS too. Raises LocalError, ConfigurationError; whatever was started is stopped then.
    """
    steps = Steps(console)
    console.print(Text(f"The LASARS gateway, on data kept in {data}", style="bold"), soft_wrap=True)
    intake, dispatch = settings.intake.port, settings.dispatch.port
    ports = Ports(intake, dispatch, recipients=max(intake, dispatch) + 1)
    try:
        with family(data, ports, steps) as (folder, children):
            system = start(children, Plan(folder, settings, ports, brokers=brokers), steps)
            with steps.step("Starting the gateway and eight stand-in LASARS" if recipients else "Starting the gateway"):
                system.start_gateway()
                if recipients:
                    system.play_recipients(LASARS, "Eight LASARS")
                system.wait_until_ready()
            for line in _where(system, data, recipients):
                console.print(line, soft_wrap=True)
            while True:
                children.watch(lambda: system.somebody_is_new)
                with steps.step("Letting in who is new"):
                    system.let_in()
    except KeyboardInterrupt:
        console.print("The data stays, for the next start.")
    return 0


def _where(system: System, data: Path, recipients: bool) -> list[Text]:
    """Where everything is, and what to do first."""
    books = f"http://{LOOPBACK}:{system.plan.ports.recipients}, their books in {data}/books"
    lines = [
        "",
        f"API         {system.url}   (described at /openapi.json)",
        f"Kafka       {system.settings.kafka.bootstrap}",
        f"PostgreSQL  {system.settings.store.dsn.replace('+asyncpg', '')}",
        f"Logs        {data}/logs",
        f"LASARS      {books}" if recipients else "LASARS      none are played; each has its mailbox",
        "",
        "Who sends, which feed, and something that is theirs to tell:",
        *(f"  {agency.id:<27}{agency.feed:<16}{agency.tells}" for agency in SENDERS),
        f"Who is told: {LASARS[0].id}, ..., one LASARS for each of {len(LASARS)} areas.",
        f"Each has its client's key in {data}/clients.",
        "",
        "Send something invented, as any of them; a file; or lay it into a folder:",
        f"  {lgw()} trigger care.referred --send --client sample-surgery --data {data}",
        f"  {lgw()} send FILE --as gp --client sample-surgery --data {data}",
        f"  {data}/drop/sample-surgery/",
        "",
        "Or over the bare API, as the Metropolitan Police:",
        f"  TOKEN=$({lgw()} token met-police --data {data})",
        '  curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/xml" \\',
        f"    {system.url}/v1/feeds/police_custody/records --data-binary \\",
        f"    @{EXAMPLE}",
        "Then, with the receipt it answers:",
        f"  {lgw()} trace RECEIPT --data {data}",
        f"  {lgw()} status --data {data}",
        "",
        "Every kind of event there is, and an agency of your own:",
        f"  {lgw()} trigger --list",
        f"  {lgw()} keys new --client my-force --as police_custody --data {data}",
        "",
        "Ctrl-C stops everything; the data stays.",
    ]
    return [Text(line) for line in lines]

"""What keeps the local system from running, each as a sentence a person can act on.

    LocalError
    ├── FolderInUse          another process works on the same data folder
    ├── FolderNotWritable    the data folder cannot be made or written
    ├── DiskFull             too little room is left
    ├── PortInUse            a port that was asked for by number is taken
    ├── ChildDied            a process we started has ended by itself
    ├── ChildNotReady        a process we started runs, but does not answer in time
    ├── ClusterOfOtherSize   the data folder holds a Kafka cluster of another number of brokers
    ├── OtherVersionsData     the tables in the data folder are another version's
    ├── JavaMissing          there is no Java where one was expected
    ├── JarMissing           a jar of Kafka's is not in the folder it should be in
    ├── JarTampered          a jar is not the one we know
    └── JarsUnreachable      Kafka's jars are neither here nor to be had

The docstring of each is its message, and the facts it was raised with are put in; so is its `fix`.
"""

import inspect
from typing import ClassVar

from gateway.errors import GatewayError


class LocalError(GatewayError):
    """Something on this machine keeps the local system from running."""

    remedy: ClassVar[str] = "Run lgw doctor."

    def __init__(self, **facts: object) -> None:
        sentence = " ".join((inspect.getdoc(type(self)) or "").split())
        super().__init__(sentence.format(**facts))
        self.facts = facts
        self.fix = self.remedy.format(**facts)


class FolderInUse(LocalError):
    """The folder {folder} is in use by another gateway (process {pid})."""

    remedy = "Stop that one first (Ctrl-C where it runs), or give this one another folder with --data."


class FolderNotWritable(LocalError):
    """The folder {folder} cannot be written: {why}."""

    remedy = "Give yourself the right to write there, or choose another folder with --data."


class DiskFull(LocalError):
    """The disk under {folder} has {free} MB left, and at least {needed} MB are needed."""

    remedy = "Make room, or choose a folder on another disk with --data."


class PortInUse(LocalError):
    """The port {port} that {name} should listen on is in use by another program."""

    remedy = "Stop that program, or choose other ports with GATEWAY_INTAKE__PORT and GATEWAY_DISPATCH__PORT."


class ChildDied(LocalError):
    """{name} has ended by itself ({how}). Its last words: {last_words}."""

    remedy = "Read its log, {log}."


class ChildNotReady(LocalError):
    """{name} runs, but is not ready after {seconds} s. Its last words: {last_words}."""

    remedy = "Read its log, {log}. On a very slow machine, simply try again."


class ClusterOfOtherSize(LocalError):
    """The folder {folder} holds a Kafka cluster of {found} broker(s), and {wanted} were asked for."""

    remedy = "Ask for {found}, or choose another folder; what is on Kafka can be rebuilt with lgw rebuild."


class OtherVersionsData(LocalError):
    """The data in {folder} was made by another version of the gateway, whose tables are not this one's."""

    remedy = "Go on with the version that made it, choose another folder with --data, or delete that one to begin anew."


class JavaMissing(LocalError):
    """There is no Java at {java}."""

    remedy = (
        "Let GATEWAY_LOCAL__JAVA name a java program of version 17 or newer, or leave it out to use the one shipped."
    )


class JarMissing(LocalError):
    """The jar {jar} is not in {folder}."""

    remedy = (
        "Put the {count} jars listed in gateway/local/kafka_jars.sha256 there, or leave GATEWAY_LOCAL__KAFKA_JARS out."
    )


class JarTampered(LocalError):
    """The jar {jar} in {folder} is not the one we know: its SHA-256 sum differs. It was not run."""

    remedy = "Find out who changed it. Then delete the file and start again."


class JarsUnreachable(LocalError):
    """Kafka's jars are not on this machine yet and could not be fetched ({why})."""

    remedy = "Connect to the network once, or let GATEWAY_LOCAL__KAFKA_JARS name a folder that holds the jars."

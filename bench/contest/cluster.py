# SPDX-License-Identifier: Apache-2.0
"""A scratch PostgreSQL that is durable as a real one."""
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from contest.libpq import Session
from contest.process import await_that, end_with_parent, free_port, run

BINARIES = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "shared_buffers": "512MB",
    "max_wal_size": "16GB",            # no checkpoint comes by chance into one contestant's run
    "checkpoint_timeout": "1h",
    "autovacuum": "off",               # nor a vacuum; tables are vacuumed between the rounds
    "max_connections": "60",
    "max_wal_senders": "40",
    "max_replication_slots": "40",
    "max_worker_processes": "40",
    "max_logical_replication_workers": "30",
    "wal_retrieve_retry_interval": "10ms",  # a subscription that is enabled begins at once
    "wal_sender_timeout": "10min",
    "unix_socket_directories": "",
}


class Cluster:
    def __init__(self, folder):
        self.root = os.geteuid() == 0
        self.data = folder / "data"
        folder.mkdir()
        if self.root:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        run(self._unprivileged(BINARIES / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8",
                               "--encoding=UTF8", "--no-sync"), cwd="/")
        self.port = free_port()
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                self._unprivileged(BINARIES / "postgres", "-D", self.data, "-p", str(self.port)), cwd="/", stdout=log,
                stderr=log, preexec_fn=end_with_parent)
        self.sessions = {}
        await_that("PostgreSQL to start", self._answers, 60, 0.05)

    def _unprivileged(self, *command):
        # Changing the user forgets the signal that ends it with us, so it is asked for again.
        who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=QUIT"] if self.root else []
        return [*who, *(str(word) for word in command)]

    def _answers(self):
        try:
            return self.session("postgres")
        except RuntimeError:
            return None

    def conninfo(self, database):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"

    def uri(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def session(self, database):
        """Kept open; for what is not timed, and for looking."""
        if database not in self.sessions:
            self.sessions[database] = Session(self.conninfo(database))
        return self.sessions[database]

    def make_database(self, name):
        if name in self.sessions:
            self.sessions.pop(name).close()
        self.session("postgres").query(f"drop database if exists {name} with (force)")
        self.session("postgres").query(f"create database {name}")
        return self.session(name)

    def stop(self):
        self.process.terminate() if not self.sessions else self.process.send_signal(2)
        self.process.wait(120)
        shutil.rmtree(self.data)

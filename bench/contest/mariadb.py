# SPDX-License-Identifier: Apache-2.0
"""A scratch MariaDB that is durable as a real one, and writes a binary log that replicas and MAIA can read."""
import os
import pwd
import shutil
import subprocess

from contest.libmariadb import Session
from contest.process import await_that, end_with_parent, free_port, run

SETTINGS = {
    "bind-address": "127.0.0.1",
    "log-bin": "log",
    "binlog-format": "ROW",
    "binlog-row-metadata": "FULL",
    "gtid-strict-mode": "ON",
    "log-slave-updates": "ON",
    "innodb-buffer-pool-size": "512M",
    "innodb-log-file-size": "2G",      # no checkpoint comes by chance into one contestant's run
    "innodb-flush-log-at-trx-commit": "1",
    "sync-binlog": "1",
    "max-binlog-size": "1G",
    "character-set-server": "utf8mb4",
    "slave-parallel-threads": "2",     # as many as there are cores
}


class Mariadb:
    def __init__(self, folder, number):
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.data = folder / "data"
        user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            user = ["--user=nobody"]
        run(["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", *user])
        words = [f"--{name}={value}" for name, value in {**SETTINGS, "server-id": number}.items()]
        with open(folder / "messages", "wb") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", f"--socket={folder}/socket",
                 f"--tmpdir={folder}", *user, *words], stdout=log, stderr=log, preexec_fn=end_with_parent)
        self.session = await_that("MariaDB to start", self._answers, 60, 0.05)

    def _answers(self):
        try:
            return Session(self.port)
        except RuntimeError:
            return None

    def query(self, sql):
        return self.session.query(sql)

    def value(self, sql):
        rows = self.query(sql)
        return rows[0][0] if rows else None

    def uri(self, database=""):
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def stop(self):
        self.process.terminate()
        self.process.wait(120)
        shutil.rmtree(self.folder, ignore_errors=True)

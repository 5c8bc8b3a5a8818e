# SPDX-License-Identifier: Apache-2.0
"""A scratch Kafka of one node, from what ./dev has fetched."""
import os
import subprocess
from pathlib import Path

from contest.process import await_that, end_with_parent, free_port, run

DEPENDENCIES = Path(os.environ["MAIA_DEPS"])
JAVA = ["java", "-Xmx1g", "-XX:+UseSerialGC", "-cp", str((DEPENDENCIES / "kafka-4.1.1").absolute()) + "/*"]


class Kafka:
    def __init__(self, folder):
        folder.mkdir()
        client, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{client}"
        self.log = folder / "log"
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": folder / "data",
            "auto.create.topics.enable": "true",
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
        }
        properties = folder / "server.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        run([*JAVA, "kafka.tools.StorageTool", "format", "-t", "bWFpYS1iZW5jaC1rYWZrYQ", "-c", properties])
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*JAVA, "kafka.Kafka", properties], stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)
        await_that("Kafka to start", lambda: "Kafka Server started" in self.log.read_text(), 120, 0.1)
        self.data = folder / "data"

    def bytes_of(self, topic):
        """Of a topic of one partition, as it lies on the disk."""
        return sum(file.stat().st_size for file in (self.data / f"{topic}-0").glob("*.log"))

    def stop(self):
        self.process.terminate()
        self.process.wait(120)

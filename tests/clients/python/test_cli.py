"""The unmodified `mem0` command (mem0-cli) against a running edgemem Worker."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

URL = os.environ["EDGEMEM_URL"]
KEY = os.environ["EDGEMEM_SPARE_API_KEY"]


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.environment = {
            **os.environ,
            "HOME": cls.home.name,
            "MEM0_API_KEY": KEY,
            "MEM0_BASE_URL": URL,
            "MEM0_TELEMETRY": "false",
        }

    @classmethod
    def tearDownClass(cls):
        cls.home.cleanup()

    def setUp(self):
        self.user = f"cli-{uuid.uuid4()}"

    def mem0(self, *words):
        command = [sys.executable, "-m", "mem0_cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=60)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def of_json(self, *words):
        text = self.mem0(*words, "--output", "json")
        return json.loads(text[min(at for at in (text.find("{"), text.find("[")) if at >= 0) :])

    def memories(self):
        return self.of_json("list", "--user-id", self.user)

    def test_every_command(self):
        self.mem0("status")
        self.mem0("version")
        said = "I keep bees in the garden."
        added = self.mem0("add", said, "--user-id", self.user, "--no-infer", "--output", "json")
        self.assertIn("SUCCEEDED", added)
        listed = json.dumps(self.memories())
        self.assertIn(said, listed)
        found = self.mem0("search", "Who keeps bees?", "--user-id", self.user, "--output", "json")
        self.assertIn(said, found)
        memory = json.loads(listed)
        memory = memory["results"] if isinstance(memory, dict) and "results" in memory else memory
        memory = memory["data"] if isinstance(memory, dict) and "data" in memory else memory
        memory_id = memory[0]["id"]
        self.assertIn(said, self.mem0("get", memory_id, "--output", "json"))
        self.mem0("update", memory_id, "I keep hens.")
        self.assertIn("I keep hens.", self.mem0("get", memory_id))

        deadline = time.monotonic() + 30
        while self.user not in self.mem0("entity", "list", "users", "--output", "json"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.3)
        events = self.mem0("event", "list", "--output", "json")
        self.assertIn("SUCCEEDED", events)

        self.mem0("delete", memory_id, "--force", "--delete-linked")
        self.assertNotIn("I keep hens.", json.dumps(self.memories()))

        file = Path(self.home.name) / "import.json"
        file.write_text(json.dumps([{"memory": "I row.", "user_id": self.user}]))
        self.mem0("import", str(file))
        self.mem0("delete", "--all", "--force", "--user-id", self.user)
        self.mem0("add", "I sail.", "--user-id", self.user, "--no-infer")
        self.mem0("entity", "delete", "--user-id", self.user, "--force")
        self.assertNotIn("I sail.", json.dumps(self.memories()))
        self.mem0("add", "I swim.", "--user-id", self.user, "--no-infer")
        deadline = time.monotonic() + 30
        while "I swim." in json.dumps(self.memories()):
            self.assertLess(time.monotonic(), deadline)
            self.mem0("delete", "--all", "--project", "--force")


if __name__ == "__main__":
    unittest.main()

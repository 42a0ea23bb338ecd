"""The unmodified mem0 Python client against a running edgemem Worker."""

import asyncio
import os
import time
import unittest
import uuid

os.environ["MEM0_TELEMETRY"] = "false"

from mem0 import AsyncMemoryClient, MemoryClient
from mem0.exceptions import AuthenticationError, MemoryNotFoundError, ValidationError

URL = os.environ["EDGEMEM_URL"]
KEY = os.environ["EDGEMEM_API_KEY"]
# Where the files of tests/attachments are served, from which the Worker may fetch.
FILES = os.environ["EDGEMEM_FILES_URL"]

# The model server replays one fact for this message.
HIKING = "I love hiking in the Alps."
FACT = "User loves hiking in the Alps"


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = MemoryClient(api_key=KEY, host=URL)

    def setUp(self):
        self.user = f"python-{uuid.uuid4()}"

    def tearDown(self):
        self.client.delete_all(user_id=self.user)

    def add_verbatim(self, text, **options):
        reply = self.client.add(
            [{"role": "user", "content": text}], user_id=self.user, infer=False, **options
        )
        self.assertEqual(reply["status"], "SUCCEEDED", reply)
        return reply["results"][0]["id"]

    def all(self, **options):
        return self.client.get_all(filters={"user_id": self.user}, **options)

    def wait_for(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline, f"nothing after {seconds} s")
            time.sleep(0.2)
        return found

    def test_a_wrong_key_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Invalid API key"):
            MemoryClient(api_key="not-the-key-of-this-server", host=URL)

    def test_add_with_inference_in_the_background(self):
        reply = self.client.add([{"role": "user", "content": HIKING}], user_id=self.user)
        self.assertEqual(reply["status"], "PENDING", reply)
        uuid.UUID(reply["event_id"])
        found = self.wait_for(lambda: self.all()["results"])
        self.assertEqual([memory["memory"] for memory in found], [FACT])

    def test_files_in_messages(self):
        def part(kind, name):
            return {"type": kind, kind: {"url": f"{FILES}/{name}"}}

        reply = self.client.add(
            [
                {"role": "user", "content": part("image_url", "sofa.png")},
                {"role": "user", "content": part("pdf_url", "lease.pdf")},
                {"role": "user", "content": [{"type": "text", "text": "And:"}, part("txt_url", "notes.txt")]},
            ],
            user_id=self.user,
            async_mode=False,
        )
        self.assertEqual(reply["status"], "SUCCEEDED", reply)
        self.assertNotIn("note", reply)
        found = sorted(memory["memory"] for memory in self.all()["results"])
        self.assertEqual(
            found,
            [
                "The code of User's garden gate is 4711",
                "User has a red sofa",
                "User pays a rent of 900 EUR a month",
            ],
        )

    def test_facts_in_the_shape_of_a_schema(self):
        schema = {
            "type": "object",
            "properties": {"homeCity": {"type": "string"}, "rooms": {"type": "integer"}, "tenure": {"enum": ["rent", "own"]}},
        }
        said = [{"role": "user", "content": "I rent a flat of three rooms in Oslo."}]
        reply = self.client.add(said, user_id=self.user, structured_data_schema=schema, async_mode=False)
        [added] = reply["results"]
        [listed] = self.all()["results"]
        [found] = self.client.search("Where does the user live?", filters={"user_id": self.user})["results"]
        [change] = self.client.history(added["id"])
        for memory in [self.client.get(added["id"]), listed, found, change]:
            # What does not fit, the model server's `tenure` and `street`, is left out.
            self.assertEqual(memory["structured_data"], {"homeCity": "Oslo", "rooms": 3})
        with self.assertRaisesRegex(ValidationError, "structured_data_schema"):
            self.client.add(said, user_id=self.user, structured_data_schema="a city")

    def test_add_with_inference_and_wait(self):
        reply = self.client.add(
            [{"role": "user", "content": HIKING}],
            user_id=self.user,
            metadata={"source": "test"},
            async_mode=False,
        )
        self.assertEqual(reply["status"], "SUCCEEDED", reply)
        [added] = reply["results"]
        self.assertEqual((added["event"], added["data"]["memory"]), ("ADD", FACT))
        memory = self.client.get(added["id"])
        self.assertEqual(memory["memory"], FACT)
        self.assertEqual(memory["user_id"], self.user)
        self.assertEqual(memory["metadata"], {"source": "test"})
        self.assertEqual(memory["categories"], ["hobbies"])

        again = self.client.add(
            [{"role": "user", "content": HIKING}], user_id=self.user, async_mode=False
        )
        self.assertEqual(again["status"], "SUCCEEDED", again)
        self.assertNotIn("ADD", [result["event"] for result in again["results"]])
        self.assertEqual(self.all()["count"], 1)

    def test_every_form_of_messages(self):
        for messages in (
            "I keep bees.",
            {"role": "user", "content": "I play the cello."},
            [{"role": "user", "content": [{"type": "text", "text": "I grow tomatoes."}]}],
        ):
            reply = self.client.add(messages, user_id=self.user, infer=False)
            self.assertEqual(reply["status"], "SUCCEEDED", reply)
        kept = {memory["memory"] for memory in self.all()["results"]}
        self.assertEqual(kept, {"I keep bees.", "I play the cello.", "I grow tomatoes."})

    def test_search(self):
        bees = self.add_verbatim("I keep bees in the garden.", metadata={"topic": "animals"})
        self.add_verbatim("My car needs new tyres.", metadata={"topic": "car"})
        filters = {"AND": [{"user_id": self.user}]}
        hits = self.client.search("Who keeps bees?", filters=filters, top_k=3)["results"]
        self.assertEqual(hits[0]["id"], bees)
        self.assertTrue(0 < hits[0]["score"] <= 1, hits[0])
        self.assertEqual(set(hits[0]["score_breakdown"]), {"semantic", "bm25", "entity"})
        filters["AND"].append({"metadata": {"topic": "car"}})
        hits = self.client.search("Who keeps bees?", filters=filters, threshold=0.0)["results"]
        self.assertNotIn(bees, [hit["id"] for hit in hits])
        other = self.client.search("bees", filters={"user_id": f"{self.user}-other"})
        self.assertEqual(other["results"], [])

    def test_pages(self):
        for number in range(3):
            self.add_verbatim(f"Note number {number}.")
        first = self.all(page=1, page_size=2)
        self.assertEqual((first["count"], len(first["results"])), (3, 2))
        self.assertIsNotNone(first["next"])
        last = self.all(page=2, page_size=2)
        self.assertEqual((len(last["results"]), last["next"]), (1, None))

    def test_update_history_and_delete(self):
        memory_id = self.add_verbatim("I live in New York.")
        updated = self.client.update(
            memory_id,
            text="I live in San Francisco.",
            metadata={"checked": True},
            expiration_date="2099-12-31",
        )
        self.assertEqual(updated["memory"], "I live in San Francisco.")
        self.assertEqual(updated["expiration_date"], "2099-12-31")
        self.assertIsNone(self.client.update(memory_id, expiration_date=None)["expiration_date"])
        self.assertEqual(self.client.get(memory_id)["metadata"], {"checked": True})

        history = self.client.history(memory_id)
        self.assertEqual([line["event"] for line in history][:2], ["ADD", "UPDATE"])
        self.assertEqual(history[1]["old_memory"], "I live in New York.")
        self.assertEqual(history[1]["new_memory"], "I live in San Francisco.")

        self.assertIn("message", self.client.delete(memory_id))
        with self.assertRaises(MemoryNotFoundError):
            self.client.get(memory_id)
        self.assertEqual(self.all()["count"], 0)

    def test_delete_all(self):
        self.add_verbatim("One thing.", run_id="first")
        self.add_verbatim("Another thing.", run_id="second")
        self.assertIn("message", self.client.delete_all(user_id=self.user, run_id="first"))
        self.assertEqual([memory["run_id"] for memory in self.all()["results"]], ["second"])
        self.client.delete_all(user_id=self.user)
        self.assertEqual(self.all()["count"], 0)

    def test_errors_are_the_clients_own(self):
        with self.assertRaisesRegex(ValidationError, "valid UUID"):
            self.client.get("404")
        with self.assertRaises(MemoryNotFoundError):
            self.client.get("11111111-2222-3333-4444-555555555555")
        with self.assertRaises(ValidationError):
            self.client.get_all(filters={})
        with self.assertRaises((ValidationError, ValueError)):
            self.client.delete_all()

    def test_the_async_client(self):
        async def go():
            async with AsyncMemoryClient(api_key=KEY, host=URL) as client:
                await client.add("I keep bees.", user_id=self.user, infer=False)
                return await client.search("bees", filters={"user_id": self.user})

        hits = asyncio.run(go())["results"]
        self.assertEqual([hit["memory"] for hit in hits], ["I keep bees."])


if __name__ == "__main__":
    unittest.main()

"""Every method of the unmodified mem0 Python client, of whatever version is installed, against a running edgemem Worker.

All of it is in a project of its own (EDGEMEM_SPARE_API_KEY), as some methods reach everything in a project.
"""

import asyncio
import inspect
import os
import time
import unittest
import uuid
from importlib.metadata import version

os.environ["MEM0_TELEMETRY"] = "false"

from mem0 import AsyncMemoryClient, MemoryClient
from mem0.exceptions import MemoryNotFoundError

URL = os.environ["EDGEMEM_URL"]
KEY = os.environ["EDGEMEM_SPARE_API_KEY"]
VERSION = version("mem0ai")
HOOK = "https://example.com/hook"


def methods(client):
    found = inspect.getmembers(client, lambda it: inspect.ismethod(it) or inspect.isfunction(it))
    return {name for name, _ in found if not name.startswith("_")}


def waited(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.2)
    return found


def judged(judge, *words, **options):
    """What `feedback` answers. Version 1 stumbles over its own telemetry when the server has answered."""
    try:
        return judge(*words, **options)
    except TypeError as error:
        assert "capture_client_event" in str(error), error
        return None


async def judged_later(judge, *words, **options):
    try:
        return await judge(*words, **options)
    except TypeError as error:
        assert "capture_client_event" in str(error), error
        return None


class Recorder:
    """Passes calls on and notes their names."""

    def __init__(self, client):
        self.client, self.called = client, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.client, name)


class EveryMethod(unittest.TestCase):
    def test_every_method(self):
        client = Recorder(MemoryClient(api_key=KEY, host=URL))
        user = f"every/{uuid.uuid4()}" if not VERSION.startswith("1.") else f"every-{uuid.uuid4()}"
        filters = {"AND": [{"user_id": user}]}

        def add(text, **options):
            messages = [{"role": "user", "content": text}]
            reply = client.add(messages, user_id=user, infer=False, async_mode=False, **options)
            return reply["results"][0]["id"]

        first = add("I live in Oslo.", metadata={"city": "Oslo"}, agent_id="every-agent")
        second = add("I play the cello.")
        self.assertEqual(client.get(first)["memory"], "I live in Oslo.")
        self.assertEqual(len(client.get_all(filters=filters)["results"]), 2)
        self.assertEqual(client.get_all(filters=filters, page=1, page_size=1)["count"], 2)
        found = client.search("Who plays the cello?", filters=filters, top_k=1)["results"]
        self.assertEqual([hit["id"] for hit in found], [second])
        self.assertEqual(client.update(first, text="I live in Bergen.")["memory"], "I live in Bergen.")
        self.assertEqual([line["event"] for line in client.history(first)], ["ADD", "UPDATE"])

        waited(lambda: [it for it in client.users()["results"] if it["name"] == user])
        changes = [{"memory_id": first, "text": "I live in Paris."}]
        self.assertIn("1 memories", client.batch_update(changes)["message"])
        opinion = judged(client.feedback, first, feedback="POSITIVE", feedback_reason="true")
        if opinion is not None:
            self.assertEqual(opinion["feedback"], "POSITIVE")
        self.assertEqual(client.get(first)["feedback"], "POSITIVE")

        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        export = client.create_memory_export(schema=schema, filters=filters)
        made = client.get_memory_export(memory_export_id=export["id"])
        self.assertEqual(made, {"city": "Oslo"})
        self.assertEqual(client.get_memory_export(filters=filters), made)
        self.assertIsInstance(client.get_summary(filters={"user_id": user}), list)

        client.update_project(custom_instructions="Only food.")
        project = client.get_project(fields=["custom_instructions"])
        self.assertEqual(project["custom_instructions"], "Only food.")
        own = client.project
        own.update(custom_instructions="Only tea.", custom_categories=[{"tea": "drinks"}])
        self.assertEqual(own.get()["custom_categories"], [{"tea": "drinks"}])
        with self.assertRaises(Exception):
            own.create("another")
        own.add_member("a@b.co", role="READER")
        own.update_member("a@b.co", role="OWNER")
        self.assertIn("a@b.co", [member["email"] for member in own.get_members()["members"]])
        own.remove_member("a@b.co")

        # What the client itself holds of the ping.
        project_id = own.project_id
        hook = client.create_webhook(
            url=HOOK, name="n", project_id=project_id, event_types=["memory_add"]
        )
        client.update_webhook(hook["webhook_id"], name="z")
        self.assertEqual([it["name"] for it in client.get_webhooks(project_id)], ["z"])
        client.delete_webhook(hook["webhook_id"])
        self.assertEqual(client.get_webhooks(project_id), [])

        if hasattr(MemoryClient, "generate_profile"):
            client.update_profile_settings(enabled=True)
            self.assertTrue(client.get_profile_settings()["enabled"])
            job = client.generate_profile(user)
            waited(
                lambda: client.get_profile_job(job["status_url"])["job"]["status"] == "succeeded"
            )
            self.assertEqual(client.get_profile(user)["status"], "succeeded")
            self.assertIn(user, client.sample_profiles(limit=50)["entity_ids"])

        self.assertIn("1 memories", client.batch_delete([{"memory_id": first}])["message"])
        self.assertIn("deleted", client.delete(second)["message"])
        with self.assertRaises(MemoryNotFoundError):
            client.get(second)
        add("Once more.")
        client.delete_all(user_id=user)
        self.assertEqual(client.get_all(filters=filters)["results"], [])
        add("And again.")
        client.delete_users(user_id=user)
        self.assertEqual(client.get_all(filters=filters)["results"], [])
        add("To the end.")
        waited(lambda: [it for it in client.users()["results"] if it["name"] == user])
        client.reset()
        self.assertEqual(client.get_all(filters=filters)["results"], [])
        own.delete()

        left = methods(client.client) - client.called
        # Not of the server: `chat` is not written in the client itself.
        self.assertEqual(left - {"chat"}, set())

    def test_every_method_of_the_async_client(self):
        async def go():
            async with AsyncMemoryClient(api_key=KEY, host=URL) as client:
                user = f"every-{uuid.uuid4()}"
                filters = {"AND": [{"user_id": user}]}
                messages = [{"role": "user", "content": "I keep bees."}]
                options = {"user_id": user, "infer": False, "async_mode": False}
                memory = (await client.add(messages, **options))["results"][0]["id"]
                await client.get(memory)
                self.assertEqual(len((await client.get_all(filters=filters))["results"]), 1)
                self.assertEqual(len((await client.search("bees", filters=filters))["results"]), 1)
                await client.update(memory, text="I keep hens.")
                self.assertEqual(len(await client.history(memory)), 2)
                await client.users()
                await client.batch_update([{"memory_id": memory, "text": "I keep cats."}])
                await judged_later(client.feedback, memory, feedback="NEGATIVE")
                self.assertEqual((await client.get(memory))["feedback"], "NEGATIVE")
                schema = {"type": "object", "properties": {"pets": {"type": "array"}}}
                export = await client.create_memory_export(schema=schema, filters=filters)
                await client.get_memory_export(memory_export_id=export["id"])
                await client.get_summary(filters={"user_id": user})
                await client.update_project(custom_instructions="x")
                await client.get_project(fields=["custom_instructions"])
                project_id = client.project.project_id
                hook = await client.create_webhook(
                    url=HOOK, name="n", project_id=project_id, event_types=["memory_add"]
                )
                await client.update_webhook(hook["webhook_id"], name="z")
                await client.get_webhooks(project_id)
                await client.delete_webhook(hook["webhook_id"])
                await client.batch_delete([{"memory_id": memory}])
                await client.delete_all(user_id=user)
                await client.add(messages, **options)
                await client.delete_users(user_id=user)
                self.assertEqual((await client.get_all(filters=filters))["results"], [])

        asyncio.run(go())


if __name__ == "__main__":
    unittest.main()

"""MCP's official Python client against a running edgemem Worker."""

import json
import os
import unittest
import uuid
from contextlib import asynccontextmanager

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["EDGEMEM_URL"] + "/mcp"
KEY = os.environ["EDGEMEM_API_KEY"]

# The model server replays one fact for this message.
SAID = "I live in Paris."
FACT = "User lives in Paris"


class Every:
    """The tests, for one way of connecting."""

    mode: str
    version: str
    asks_who_it_is: bool

    def setUp(self):
        self.user = f"mcp-python-{uuid.uuid4()}"

    @asynccontextmanager
    async def connected(self, **headers):
        headers["Authorization"] = f"Bearer {KEY}"
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            async with Client(streamable_http_client(URL, http_client=http), mode=self.mode) as client:
                yield client

    async def test_the_revision_is_the_one_that_was_asked_for(self):
        async with self.connected() as client:
            self.assertEqual(client.protocol_version, self.version)
            if self.asks_who_it_is:
                self.assertEqual(client.server_info.name, "edgemem")

    async def test_every_tool_is_listed_and_does_its_work(self):
        async with self.connected() as client:
            await self.use_every_tool(client)

    async def use_every_tool(self, client):
        called = set()

        async def call(name, **arguments):
            called.add(name)
            result = await client.call_tool(name, arguments)
            self.assertFalse(result.is_error, result.content)
            self.assertEqual(json.loads(result.content[0].text), result.structured_content)
            return result.structured_content

        listed = [tool.name for tool in (await client.list_tools()).tools]
        user = self.user
        added = await call("add_memory", text=SAID, user_id=user, async_mode=False)
        self.assertEqual([done["memory"] for done in added["results"]], [FACT])
        event = await call("get_event_status", event_id=added["event_id"])
        self.assertEqual(event["status"], "SUCCEEDED")
        question = "Where do I live?"
        found = await call("search_memories", query=question, user_id=user)
        self.assertEqual(found["results"][0]["memory"], FACT)
        context = await call("get_context", query=question, user_id=user, budget_tokens=200)
        self.assertIn("Paris", context["context"])
        way = await call("graph_path", user_id=user, **{"from": "user", "to": "Paris"})
        self.assertIn("-lives_in-> Paris", way["paths"][0]["text"])
        page = await call("get_memories", filters={"user_id": user}, page=1, page_size=5)
        self.assertEqual(page["count"], 1)
        memory_id = page["results"][0]["id"]
        await call("update_memory", memory_id=memory_id, text="User lives in Lyon")
        memory = await call("get_memory", memory_id=memory_id)
        self.assertEqual(memory["memory"], "User lives in Lyon")
        await call("delete_memory", memory_id=memory_id)
        await call("list_entities")
        await call("list_events")
        await call("delete_entities", user_id=user)
        await call("delete_all_memories", user_id=user)
        self.assertEqual(called, set(listed))

    async def test_a_model_is_told_what_went_wrong(self):
        async with self.connected() as client:
            result = await client.call_tool("get_memory", {"memory_id": "404"})
            self.assertTrue(result.is_error)
            self.assertIn("UUID", result.content[0].text)
            with self.assertRaises(MCPError):
                await client.call_tool("no_such_tool", {})

    async def test_a_bound_connection_stays_with_its_user(self):
        async with self.connected(**{"X-Edgemem-User": self.user}) as client:
            result = await client.call_tool("add_memory", {"text": "I play the cello.", "infer": False})
            self.assertFalse(result.is_error, result.content)
            result = await client.call_tool("get_memories", {"user_id": "somebody-else"})
            self.assertTrue(result.is_error)
            await client.call_tool("delete_all_memories", {})


class Legacy(Every, unittest.IsolatedAsyncioTestCase):
    mode = "legacy"
    version = "2025-11-25"
    asks_who_it_is = True


class FoundOut(Every, unittest.IsolatedAsyncioTestCase):
    mode = "auto"
    version = "2026-07-28"
    asks_who_it_is = True


class Modern(Every, unittest.IsolatedAsyncioTestCase):
    mode = "2026-07-28"
    version = "2026-07-28"
    asks_who_it_is = False


if __name__ == "__main__":
    unittest.main()

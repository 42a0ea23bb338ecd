"""MCP's official Python client against a running edgemem Worker."""

import json
import os
import unittest
import uuid
from contextlib import AsyncExitStack

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["EDGEMEM_URL"] + "/mcp"
KEY = os.environ["EDGEMEM_API_KEY"]

# The model server replays one fact for this message.
HIKING = "I love hiking in the Alps."
FACT = "User loves hiking in the Alps"


class Every:
    """The tests, for one way of connecting."""

    mode: str
    version: str

    async def asyncSetUp(self):
        self.opened = AsyncExitStack()
        self.addAsyncCleanup(self.opened.aclose)
        self.user = f"mcp-python-{uuid.uuid4()}"
        self.client = await self.connect()
        self.called = set()

    async def connect(self, **headers):
        headers["Authorization"] = f"Bearer {KEY}"
        http = await self.opened.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
        transport = streamable_http_client(URL, http_client=http)
        return await self.opened.enter_async_context(Client(transport, mode=self.mode))

    async def call(self, name, **arguments):
        self.called.add(name)
        result = await self.client.call_tool(name, arguments)
        self.assertFalse(result.is_error, result.content)
        self.assertEqual(json.loads(result.content[0].text), result.structured_content)
        return result.structured_content

    async def test_the_revision_is_the_one_that_was_asked_for(self):
        self.assertEqual(self.client.protocol_version, self.version)
        self.assertEqual(self.client.server_info.name, "edgemem")

    async def test_every_tool_is_listed_and_does_its_work(self):
        listed = [tool.name for tool in (await self.client.list_tools()).tools]
        user = self.user
        added = await self.call("add_memory", text=HIKING, user_id=user, async_mode=False)
        self.assertEqual([done["memory"] for done in added["results"]], [FACT])
        event = await self.call("get_event_status", event_id=added["event_id"])
        self.assertEqual(event["status"], "SUCCEEDED")
        found = await self.call("search_memories", query="What do I like to do?", user_id=user)
        self.assertEqual(found["results"][0]["memory"], FACT)
        context = await self.call("get_context", query="Plan a weekend", user_id=user, budget_tokens=200)
        self.assertIn("hiking in the Alps", context["context"])
        way = await self.call("graph_path", user_id=user, **{"from": "user", "to": "hiking"})
        self.assertIn("-loves-> hiking", way["paths"][0]["text"])
        page = await self.call("get_memories", filters={"user_id": user}, page=1, page_size=5)
        self.assertEqual(page["count"], 1)
        memory_id = page["results"][0]["id"]
        await self.call("update_memory", memory_id=memory_id, text="User loves the Dolomites")
        memory = await self.call("get_memory", memory_id=memory_id)
        self.assertEqual(memory["memory"], "User loves the Dolomites")
        await self.call("delete_memory", memory_id=memory_id)
        if "list_entities" in listed:
            await self.call("list_entities")
            await self.call("list_events")
            await self.call("delete_entities", user_id=user)
        await self.call("delete_all_memories", user_id=user)
        self.assertEqual(self.called, set(listed))

    async def test_a_model_is_told_what_went_wrong(self):
        result = await self.client.call_tool("get_memory", {"memory_id": "404"})
        self.assertTrue(result.is_error)
        self.assertIn("UUID", result.content[0].text)
        with self.assertRaises(MCPError):
            await self.client.call_tool("no_such_tool", {})

    async def test_a_bound_connection_stays_with_its_user(self):
        bound = await self.connect(**{"X-Edgemem-User": self.user})
        result = await bound.call_tool("add_memory", {"text": "I play the cello.", "infer": False})
        self.assertFalse(result.is_error, result.content)
        result = await bound.call_tool("get_memories", {"user_id": "somebody-else"})
        self.assertTrue(result.is_error)
        await bound.call_tool("delete_all_memories", {})


class Legacy(Every, unittest.IsolatedAsyncioTestCase):
    mode = "legacy"
    version = "2025-11-25"


class FoundOut(Every, unittest.IsolatedAsyncioTestCase):
    mode = "auto"
    version = "2026-07-28"


class Modern(Every, unittest.IsolatedAsyncioTestCase):
    mode = "2026-07-28"
    version = "2026-07-28"

    async def test_the_revision_is_the_one_that_was_asked_for(self):
        # A client that knows what it speaks does not ask who it speaks to.
        self.assertEqual(self.client.protocol_version, self.version)


if __name__ == "__main__":
    unittest.main()

// MCP's official TypeScript clients, of both generations, and its inspector, against a running edgemem Worker.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const url = new URL("/mcp", process.env.EDGEMEM_URL);
const key = process.env.EDGEMEM_API_KEY;
const info = { name: "edgemem-tests", version: "1.0.0" };

// The model server replays one fact for this message.
const SAID = "I live in Paris.";
const FACT = "User lives in Paris";

const TOOLS = [
  "add_memory",
  "search_memories",
  "get_context",
  "get_memories",
  "get_memory",
  "update_memory",
  "delete_memory",
  "delete_all_memories",
  "delete_entities",
  "list_entities",
  "list_events",
  "get_event_status",
  "graph_path",
];

const headers = (user) => ({
  authorization: `Bearer ${key}`,
  ...(user && { "x-edgemem-user": user }),
});

const kinds = {
  "SDK 1, initialize": async (user) => {
    const client = new OldClient(info);
    await client.connect(new OldTransport(url, { requestInit: { headers: headers(user) } }));
    return client;
  },
  "SDK 2, initialize": async (user) => {
    const client = new Client(info);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: headers(user) } }));
    assert.equal(client.getNegotiatedProtocolVersion(), "2025-11-25");
    return client;
  },
  "SDK 2, found out": async (user) => {
    const client = new Client(info, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: headers(user) } }));
    assert.equal(client.getNegotiatedProtocolVersion(), "2026-07-28");
    return client;
  },
  "SDK 2, revision 2026-07-28": async (user) => {
    const client = new Client(info, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: headers(user) } }));
    assert.equal(client.getProtocolEra(), "modern");
    return client;
  },
};

for (const [kind, connect] of Object.entries(kinds)) {
  describe(kind, () => {
    const user = `mcp-${crypto.randomUUID()}`;
    const called = new Set();
    let client;
    let tools;

    before(async () => {
      client = await connect();
      ({ tools } = await client.listTools());
    });
    after(async () => {
      await client?.close();
    });

    /** Calls a tool; the client checks its result against the schema that it listed. */
    async function call(name, args) {
      called.add(name);
      const result = await client.callTool({ name, arguments: args });
      assert.ok(!result.isError, JSON.stringify(result.content));
      assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
      return result.structuredContent;
    }

    it("says who it is and how to use it", () => {
      assert.equal(client.getServerVersion().name, "edgemem");
      assert.match(client.getInstructions(), /get_context/);
    });

    it("lists the tools", () => {
      assert.deepEqual(
        tools.map((tool) => tool.name),
        TOOLS,
      );
      for (const tool of tools) {
        assert.ok(tool.title && tool.description && tool.outputSchema, tool.name);
        assert.equal(tool.annotations.readOnlyHint, /^(get|list|search|graph)/.test(tool.name), tool.name);
      }
    });

    it("remembers, recalls, corrects and erases", async () => {
      const added = await call("add_memory", { text: SAID, user_id: user, async_mode: false });
      assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
      assert.equal(added.results[0].memory, FACT);
      const event = await call("get_event_status", { event_id: added.event_id });
      assert.equal(event.results[0].id, added.results[0].id);

      const found = await call("search_memories", { query: "Where do I live?", user_id: user, limit: 3 });
      assert.equal(found.results[0].memory, FACT);
      const context = await call("get_context", { query: "Where do I live?", user_id: user });
      assert.match(context.context, /Paris/);
      const way = await call("graph_path", { user_id: user, from: "user", to: "Paris" });
      assert.match(way.paths[0].text, /-lives_in-> Paris/);
      const page = await call("get_memories", { user_id: user, page_size: 5 });
      assert.equal(page.count, 1);

      const { id } = page.results[0];
      await call("update_memory", { memory_id: id, text: "User lives in Lyon" });
      assert.equal((await call("get_memory", { memory_id: id })).memory, "User lives in Lyon");
      await call("delete_memory", { memory_id: id });
      const turns = [{ role: "user", content: "My cat is called Momo." }];
      await call("add_memory", { text: "", messages: turns, user_id: user, infer: false });
      await call("delete_all_memories", { user_id: user });
      assert.equal((await call("get_memories", { user_id: user })).count, 0);
    });

    it("tells of all users, and forgets one", async () => {
      await call("add_memory", { text: "I sing.", user_id: user, infer: false });
      await call("list_entities", {});
      await call("list_events", {});
      await call("delete_entities", { user_id: user });
      assert.equal((await call("get_memories", { user_id: user })).count, 0);
    });

    it("has called every tool", () => {
      assert.deepEqual([...called].sort(), tools.map((tool) => tool.name).sort());
    });

    it("tells a model what went wrong", async () => {
      const result = await client.callTool({ name: "search_memories", arguments: { query: "x" } });
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /user_id/);
      await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }), /Unknown tool/);
    });

    it("keeps a bound connection with its user", async () => {
      const own = await connect(user);
      const other = await connect(`${user}-other`);
      try {
        const add = (connection) =>
          connection.callTool({ name: "add_memory", arguments: { text: "I play the cello.", infer: false } });
        const { structuredContent: added } = await add(own);
        const [{ id }] = added.results;
        const read = await own.callTool({ name: "get_memory", arguments: { memory_id: id } });
        assert.equal(read.structuredContent.user_id, user);
        for (const args of [{ memory_id: id }]) {
          const refused = await other.callTool({ name: "get_memory", arguments: args });
          assert.equal(refused.isError, true);
          assert.match(refused.content[0].text, /bound_to_another_user/);
        }
        const refused = await other.callTool({ name: "delete_all_memories", arguments: { user_id: user } });
        assert.match(refused.content[0].text, /bound_to_another_user/);
        await own.callTool({ name: "delete_all_memories", arguments: {} });
      } finally {
        await own.close();
        await other.close();
      }
    });
  });
}

describe("the inspector", () => {
  const program = fileURLToPath(new URL("node_modules/.bin/mcp-inspector", import.meta.url));
  const inspect = async (...words) => {
    const all = [program, "--cli", url.href, "--header", `Authorization: Bearer ${key}`, ...words];
    const { stdout } = await promisify(execFile)(process.execPath, all);
    return JSON.parse(stdout);
  };

  it("lists the tools", async () => {
    const { tools } = await inspect("--method", "tools/list");
    assert.ok(tools.some((tool) => tool.name === "get_context"));
  });

  it("calls one", async () => {
    const user = `inspector-${crypto.randomUUID()}`;
    const words = ["--method", "tools/call", "--tool-name", "get_memories", "--tool-arg", `user_id=${user}`];
    assert.equal((await inspect(...words)).structuredContent.count, 0);
  });
});

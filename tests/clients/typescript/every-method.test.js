// Every method of the unmodified mem0 TypeScript client, of both versions that are installed, against a running edgemem
// Worker. All of it is in a project of its own (EDGEMEM_SPARE_API_KEY), as some methods reach everything in a project.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

process.env.MEM0_TELEMETRY = "false";

const host = process.env.EDGEMEM_URL;
const apiKey = process.env.EDGEMEM_SPARE_API_KEY;
assert.ok(host && apiKey, "EDGEMEM_URL and EDGEMEM_SPARE_API_KEY must be set");

/** Methods that ask the server nothing. */
const OWN = /^(constructor|_|validate|prepare|initialize|generateId|ensureProjectContext)/;

async function eventually(ask) {
  for (let tries = 0; tries < 150; tries++) {
    if (await ask()) return;
    await sleep(200);
  }
  assert.fail(`not in time: ${ask}`);
}

for (const name of ["mem0ai", "mem0ai-2"]) {
  const { MemoryClient } = await import(name);
  describe(`every method of ${name}`, () => {
    it("is answered", async () => {
      const called = new Set();
      const real = new MemoryClient({ apiKey, host });
      const client = new Proxy(real, {
        get(target, method) {
          called.add(method);
          const value = target[method];
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      // Names of options: the older client sends them as they are.
      const isNew = name === "mem0ai";
      const named = (pairs) => (isNew ? pairs : snake(pairs));
      const user = `every-${randomUUID()}`;
      const filters = { AND: [{ user_id: user }] };
      await client.ping();
      const add = async (content) => {
        const added = await client.add(
          [{ role: "user", content }],
          named({ userId: user, infer: false, asyncMode: false, outputFormat: "v1.1" }),
        );
        return (added.results ?? added)[0].id;
      };
      const all = async () => {
        const found = await client.getAll(named({ filters, apiVersion: "v2" }));
        return found.results ?? found;
      };
      const first = await add("I live in Oslo.");
      const second = await add("I play the cello.");
      assert.equal((await client.get(first)).memory, "I live in Oslo.");
      assert.equal((await all()).length, 2);
      const hits = await client.search("cello", named({ filters, apiVersion: "v2" }));
      assert.equal((hits.results ?? hits)[0].id, second);
      await client.update(first, { text: "I live in Bergen." });
      assert.equal((await client.history(first)).length, 2);
      const users = async () => (await client.users()).results;
      await eventually(async () => (await users()).some((it) => it.name === user));
      await client.batchUpdate([{ memoryId: first, text: "I live in Paris." }]);
      assert.equal((await client.get(first)).memory, "I live in Paris.");
      await client.feedback(
        isNew
          ? { memoryId: first, feedback: "POSITIVE", feedbackReason: "r" }
          : { memory_id: first, feedback: "POSITIVE", feedback_reason: "r" },
      );
      const schema = { type: "object", properties: { city: { type: "string" } } };
      const asked = await client.createMemoryExport({ schema, filters, exportInstructions: "e" });
      const id = asked.id;
      const made = await client.getMemoryExport(
        isNew ? { memoryExportId: id } : { memory_export_id: id },
      );
      assert.ok("city" in made, JSON.stringify(made));
      await client.updateProject(named({ customInstructions: "Only food." }));
      const project = await client.getProject({ fields: ["custom_instructions"] });
      assert.equal(project.customInstructions ?? project.custom_instructions, "Only food.");
      const url = "https://example.com/hook";
      const projectId = "spare";
      const hook = await client.createWebhook(
        isNew
          ? { name: "n", url, projectId, eventTypes: ["memory_add"] }
          : { name: "n", url, projectId, eventTypes: ["memory_add"] },
      );
      const webhookId = hook.webhookId ?? hook.webhook_id;
      await client.updateWebhook({ webhookId, projectId, name: "z", url, eventTypes: ["memory_add"] });
      assert.equal((await client.getWebhooks({ projectId })).length, 1);
      await client.deleteWebhook({ webhookId });
      if (real.generateProfile) {
        await client.updateProfileSettings({ enabled: true });
        assert.equal((await client.getProfileSettings()).enabled, true);
        const job = await client.generateProfile({ entityId: user, userId: user });
        await eventually(
          async () => (await client.getProfileJob(job.statusUrl)).job.status === "succeeded",
        );
        assert.equal((await client.getProfile({ entityId: user, userId: user })).status, "succeeded");
        await client.sampleProfiles({ limit: 2 });
      }
      await client.batchDelete([first]);
      await client.delete(second);
      assert.deepEqual(await all(), []);
      await add("Once more.");
      await client.deleteAll(named({ userId: user }));
      assert.deepEqual(await all(), []);
      await add("And again.");
      await client.deleteUsers(named({ userId: user }));
      assert.deepEqual(await all(), []);
      await add("To the end.");
      await eventually(async () => (await users()).some((it) => it.name === user));
      const { id: number } = (await users()).find((it) => it.name === user);
      await client.deleteUser({ entity_id: number, entity_type: "user" });
      assert.deepEqual(await all(), []);
      const methods = Object.getOwnPropertyNames(MemoryClient.prototype);
      const left = methods.filter((method) => !OWN.test(method) && !called.has(method));
      assert.deepEqual(left, []);
    });
  });
}

function snake(pairs) {
  const line = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(pairs).map(([name, value]) => [line(name), value]));
}

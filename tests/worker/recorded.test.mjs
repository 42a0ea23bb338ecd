// Every call that mem0's unmodified clients make, as they were recorded, byte for byte but for the key. The recordings
// (lines of JSON with m, p, h and b: method, path, headers, body) are in the folder that the variable EDGEMEM_RECORDINGS names.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "./harness.mjs";

const folder = process.env.EDGEMEM_RECORDINGS;
const key = "0123456789abcdef-a";

// What each call is answered with, by the first line that fits: statuses, and the fields of an answer that is no error.
// The recorded memory, webhook, export and profile job do not exist here: their documented errors are right.
const expected = [
  [/^GET \/v1\/ping\//, [200], ["status", "org_id", "project_id", "user_email"]],
  [/^POST \/v3\/memories\/add\//, [200], ["event_id", "status", "message"]],
  [/^POST \/v3\/memories\/search\//, [200], ["results"]],
  // Hosted says 400 of a list that names nobody.
  [/^POST \/v3\/memories\/( |\?)/, [200, 400], ["count", "next", "previous", "results"]],
  [/^GET \/v1\/memories\/(400|404|429)\//, [400], []],
  [/^(GET|PUT|DELETE) \/v1\/memories\/1111/, [404], []],
  [/^DELETE \/v1\/memories\/( |\?)/, [200, 400], ["message"]],
  [/^GET \/v1\/entities\//, [200], ["count", "next", "previous", "results", "total_users"]],
  [/^DELETE \/v2\/entities\//, [200], ["message"]],
  [/^DELETE \/v1\/entities\/user\/7\//, [404], []],
  [/^(PUT|DELETE) \/v1\/batch\//, [404], []],
  [/^POST \/v1\/exports\/get\//, [404], []],
  [/^POST \/v1\/exports\//, [201], ["message", "id"]],
  [/^POST \/v1\/summary\//, [200], []],
  [/^POST \/v1\/feedback\//, [404], []],
  [/^GET \/v2\/entities\/user\/.*\/profile\//, [200], ["profile", "status", "entity_type", "entity_id"]],
  [/^(GET|POST) \/v2\/profiles\/settings\//, [200], ["enabled", "capabilities", "entities"]],
  [/^POST \/v2\/profiles\/jobs\//, [200, 409], ["job_id", "status", "status_url", "replayed"]],
  [/^GET \/v2\/profiles\/jobs\//, [404], []],
  [/^GET \/api\/v1\/orgs\/.*\/members\//, [200], ["members"]],
  [/^(POST|PUT|DELETE) \/api\/v1\/orgs\/.*\/members\//, [200], ["message"]],
  [/^POST \/api\/v1\/orgs\/.*\/projects\/ /, [403], []],
  [/^GET \/api\/v1\/orgs\//, [200], []],
  [/^(PATCH|DELETE) \/api\/v1\/orgs\//, [200], ["message"]],
  [/^GET \/api\/v1\/webhooks\/projects\//, [200], []],
  // An address of plain HTTP, or none at all.
  [/^POST \/api\/v1\/webhooks\/projects\//, [400], []],
  [/^(PUT|DELETE) \/api\/v1\/webhooks\/wh_1\//, [404], []],
];

if (!folder) {
  test("recorded calls", { skip: "NOT RUN: EDGEMEM_RECORDINGS names no folder of recordings" }, () => {});
} else {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".jsonl"))) {
    test(`the calls recorded in ${file}`, async (test) => {
      const server = await serve({ vars: { EDGEMEM_API_KEYS: `proj_1:${key}` } });
      test.after(() => server.stop());
      const lines = readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean);
      assert.ok(lines.length > 0);
      for (const { m, p, h, b } of lines.map((line) => JSON.parse(line))) {
        const headers = { ...h, Authorization: `Token ${key}` };
        const answer = await fetch(server.url + p, {
          method: m,
          headers,
          body: b || undefined,
          redirect: "manual",
        });
        const text = await answer.text();
        const line = `${m} ${p} `;
        const found = expected.find(([pattern]) => pattern.test(line));
        assert.ok(found, `nothing is known of ${line}`);
        const [, statuses, names] = found;
        const shown = `${line}${b} -> ${answer.status} ${text}`;
        assert.ok(statuses.includes(answer.status), shown);
        assert.match(answer.headers.get("content-type"), /^application\/json/, shown);
        const body = JSON.parse(text);
        if (answer.status >= 300) assert.ok(body.error && body.detail, shown);
        else for (const name of names) assert.ok(name in body, `${name}: ${shown}`);
      }
    });
  }
}

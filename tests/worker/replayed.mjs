// A Worker with the local model server behind it, whose replies are REPLAYED from files.
import { modelServer as start } from "../model-server/start.mjs";
import { serve } from "./harness.mjs";

/** The key that the tests use. */
export const key = "replayed-tests-key-0001";

/** Another project's key. */
export const otherKey = "replayed-tests-key-0002";

/** Starts the model server with these folders of recorded replies. */
export async function modelServer(...folders) {
  const { url, ...control } = await start(...folders);
  const vars = {
    EDGEMEM_API_KEYS: `${key},other:${otherKey}`,
    EDGEMEM_LLM_BASE_URL: `${url}/v1`,
    EDGEMEM_LLM_API_KEY: "replayed",
    EDGEMEM_LLM_MODEL: "replayed",
    EDGEMEM_LLM_TIMEOUT_SECONDS: "5",
  };
  return { vars, ...control };
}

/** Calls a server's API with a key. */
export function client(server, withKey = key) {
  const call = async (method, path, body) => {
    const answer = await fetch(server.url + path, {
      method,
      headers: { "content-type": "application/json", authorization: `Token ${withKey}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: answer.status, json: await answer.json() };
  };
  const all = async (path, body) => {
    const { status, json } = await call("POST", path, body);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return json.results;
  };
  return {
    call,
    add: async (user_id, messages, options = {}) => {
      const list = typeof messages === "string" ? [{ role: "user", content: messages }] : messages;
      const body = { user_id, messages: list, async_mode: false, ...options };
      const { status, json } = await call("POST", "/v3/memories/add/", body);
      if (status !== 200) throw new Error(JSON.stringify(json));
      return json;
    },
    memories: (user_id, options = {}) =>
      all("/v3/memories/?page_size=200", { filters: { user_id }, ...options }),
    search: (user_id, query) => all("/v3/memories/search/", { query, filters: { user_id } }),
    /** Waits until an event has this status. */
    event: async (id, status, seconds = 30) => {
      for (let tries = 0; ; tries++) {
        const event = (await call("GET", `/v1/event/${id}/`)).json;
        if (event.status === status) return event;
        if (tries > seconds * 10) throw new Error(`not ${status}: ${JSON.stringify(event)}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
  };
}

export { serve };

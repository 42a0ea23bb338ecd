// The local model server, whose replies are REPLAYED from files. It ends with the program that started it.
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Starts it with these folders of recorded replies, named from the project's root. */
export async function modelServer(...folders) {
  const program = process.env.EDGEMEM_MODEL_SERVER ?? join(root, "target/debug/model-server");
  const words = folders.flatMap((folder) => ["--cassettes", join(root, folder)]);
  words.push("--files", join(root, "tests/attachments"));
  const child = spawn(program, ["--port", "0", ...words], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill());
  const url = await new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`the model server ended with ${code}`)));
    createInterface(child.stdout).on("line", (line) => {
      const found = /listening on (\S+)/.exec(line);
      if (found) done(found[1]);
    });
  });
  const control = async (method, path, body) => {
    const answer = await fetch(url + path, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text ? JSON.parse(text) : undefined;
  };
  return {
    url,
    fail: (...faults) => control("POST", "/control", { fail: faults }),
    counts: () => control("GET", "/control"),
    release: () => control("POST", "/control/release"),
    reset: () => control("POST", "/control/reset"),
    stop: () => child.kill(),
  };
}

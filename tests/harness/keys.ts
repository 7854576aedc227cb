/** API keys as tests make them. */
import assert from "node:assert/strict";
import type { Server } from "./server.ts";

export interface TestKey {
  id: string;
  token: string;
}

/** Makes a key with these scopes through the API. */
export async function createKey(server: Server, scopes: string[], name = "test"): Promise<TestKey> {
  const answer = await server.request("POST", "/keys", { name, scopes });
  assert.equal(answer.status, 201, answer.text);
  const { id, token } = answer.body;
  assert.ok(typeof id === "string" && typeof token === "string", "a new key's answer has its id and its token");
  return { id, token };
}

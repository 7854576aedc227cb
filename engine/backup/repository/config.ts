/** The object `config`: FORMAT.md section 2.1. */
import { Buffer } from "node:buffer";
import { z } from "zod";
import type { Chunking, KeyAccess } from "./access.ts";
import { chunkingFault } from "../chunking/chunking.ts";
import { damaged } from "./damaged.ts";
import { seal, unseal } from "../crypto/sealed.ts";

export const CONFIG_KEY = "config";
export const CONFIG_LARGEST_BYTES = 64 * 1024;

const FORMAT = 1;

const outer = z.object({
  format: z.literal(FORMAT),
  repositoryId: z.uuid(),
  createdAt: z.string(),
  encryption: z.enum(["none", "chacha20-poly1305"]),
  secret: z.base64(),
});

const secret = z.object({
  chunking: z.object({
    algorithm: z.literal("fastcdc"),
    minimum: z.number(),
    average: z.number(),
    maximum: z.number(),
    normalization: z.number(),
    region: z.number(),
  }),
  gearSeed: z.string().regex(/^[0-9a-f]{64}$/),
  repositoryId: z.uuid(),
});

/** The part that can be read without a password. */
export type Config = z.infer<typeof outer>;

export interface ConfigSecret {
  chunking: Chunking;
  gearSeed: Uint8Array<ArrayBuffer>;
}

export function encodeConfig(
  access: KeyAccess,
  repositoryId: string,
  { chunking, gearSeed }: ConfigSecret,
): Uint8Array {
  const inside: z.infer<typeof secret> = { chunking, gearSeed: Buffer.from(gearSeed).toString("hex"), repositoryId };
  const sealed = seal(access, "SLCONFIG", CONFIG_KEY, new TextEncoder().encode(JSON.stringify(inside)));
  const config: Config = {
    format: FORMAT,
    repositoryId,
    createdAt: new Date().toISOString(),
    encryption: access.encrypted ? "chacha20-poly1305" : "none",
    secret: Buffer.from(sealed).toString("base64"),
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

/** @throws {EngineError} `damaged`, also for a format that this program does not know. */
export function parseConfig(bytes: Uint8Array): Config {
  const json = parse(bytes);
  const { data: versioned } = z.object({ format: z.number() }).safeParse(json);
  if (versioned !== undefined && versioned.format !== FORMAT) {
    throw damaged(
      CONFIG_KEY,
      `the repository has format ${versioned.format}, this program knows format ${FORMAT} only`,
    );
  }
  return check(outer, json);
}

/** @throws {EngineError} `damaged`, also for a master key that is another repository's. */
export function openSecret(access: KeyAccess, config: Config): ConfigSecret {
  const json = parse(unseal(access, "SLCONFIG", CONFIG_KEY, Buffer.from(config.secret, "base64")));
  const { chunking, gearSeed, repositoryId } = check(secret, json);
  if (repositoryId !== config.repositoryId) throw damaged(CONFIG_KEY, "its id is not the one that was sealed in it");
  const fault = chunkingFault(chunking);
  if (fault !== undefined) throw damaged(CONFIG_KEY, `chunking: ${fault}`);
  return { chunking, gearSeed: new Uint8Array(Buffer.from(gearSeed, "hex")) };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(CONFIG_KEY, "it is no JSON", { cause });
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown): T {
  const { success, data, error } = schema.safeParse(json);
  if (!success) throw damaged(CONFIG_KEY, z.prettifyError(error));
  return data;
}

import { type RepositoryAccess } from "./access.ts";
import { damaged } from "./damaged.ts";
import type { ProcessIdentity } from "./process_identity.ts";
import { seal, unseal } from "../crypto/sealed.ts";

export type LeaseMode = "shared" | "exclusive";

/** Who uses a repository, and until when (FORMAT section 10). Times in ISO 8601 UTC. */
export interface LeaseRecord {
  /** A UUID. */
  leaseId: string;
  mode: LeaseMode;
  /** `backup`, `prune`, …, for who is turned away. */
  purpose: string;
  host: string;
  process: ProcessIdentity;
  acquiredAt: string;
  expiresAt: string;
}

const MAGIC = "SLLEASE1";
export const LEASES = "leases/";

export function leaseObject(leaseId: string): string {
  return LEASES + leaseId;
}

export function encodeLease(access: RepositoryAccess, record: LeaseRecord): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(JSON.stringify(record));
  return seal(access, MAGIC, leaseObject(record.leaseId), payload);
}

/** @throws EngineError `damaged` */
export function decodeLease(access: RepositoryAccess, key: string, object: Uint8Array): LeaseRecord {
  let record: LeaseRecord;
  const payload = unseal(access, MAGIC, key, object);
  try {
    record = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw damaged(key, "it is not JSON", { cause });
  }
  if (leaseObject(record?.leaseId) !== key || typeof record.process !== "object") throw damaged(key, "it is no lease");
  if (record.mode !== "shared" && record.mode !== "exclusive") throw damaged(key, `unknown mode ${record.mode}`);
  if (Number.isNaN(Date.parse(record.expiresAt))) throw damaged(key, "it does not say when it ends");
  return record;
}

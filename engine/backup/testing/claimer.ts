/** For tests: a thread that claims ids and tells which ones it got. */
import { parentPort, workerData } from "node:worker_threads";
import { ClaimSet, type ClaimSetData } from "../create/claim_set.ts";

const { data, ids } = workerData as { data: ClaimSetData; ids: Uint8Array[] };
const claims = new ClaimSet(data);
parentPort?.postMessage(ids.filter((id) => claims.claim(id)).map((id) => new Uint8Array(id).toHex()));

import { EngineError } from "../../errors.ts";

/** The error of an object or a chunk whose bytes are not what was stored. `what` is an object's key or a chunk's id. */
export function damaged(what: string, reason: string, options?: ErrorOptions): EngineError {
  return new EngineError("damaged", "The backup repository is damaged", `${what}: ${reason}`, options);
}

import { EngineError } from "../errors.ts";

export function notFound(sessionId: string): EngineError {
  return new EngineError("not-found", "There is no such session", `sessionId: ${sessionId}`);
}

export function conflict(message: string, details: string): EngineError {
  return new EngineError("conflict", message, details);
}

export function stopping(): EngineError {
  return new EngineError("unavailable", "The server is stopping", "Repeat the request once it is up again");
}

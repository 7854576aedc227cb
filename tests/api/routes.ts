/** The contract's endpoints: what the reference and the issue of this stage name. `{}` stands for an id. */
export const ROUTES: [method: string, path: string][] = [
  ["GET", "/health"],
  ["GET", "/metrics"],
  ["POST", "/sync/files"],
  ["POST", "/sync/session/start"],
  ["GET", "/sync/session/{}/status"],
  ["POST", "/sync/session/{}/complete"],
  ["GET", "/sync/session/{}/events"],
  ["DELETE", "/sync/session/{}"],
  ["GET", "/sync/session"],
  ["GET", "/keys"],
  ["POST", "/keys"],
  ["DELETE", "/keys/{}"],
];

/** The route with an id that nothing has. */
export function withoutMatch(path: string): string {
  return path.replace("{}", "session-00000000-0000-4000-8000-000000000000");
}

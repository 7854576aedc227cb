/** The contract's endpoints: what the reference and the issue of this stage name. `{}` stands for an id. */
export const ROUTES: [method: string, path: string][] = [
  ["GET", "/health"],
  ["GET", "/metrics"],
  ["POST", "/sync/files"],
  ["POST", "/backup/create"],
  ["GET", "/backup/versions"],
  ["POST", "/backup/restore"],
  ["GET", "/backup/restore-point-in-time"],
  ["POST", "/backup/restore-point-in-time"],
  ["POST", "/backup/prune"],
  ["POST", "/backup/check"],
  ["POST", "/backup/repair"],
  ["GET", "/backup/versions/{}/files"],
  ["GET", "/backup/versions/{}/content"],
  ["GET", "/backup/versions/{}/changes"],
  ["GET", "/backup/versions/{}/diff/{}"],
  ["POST", "/cloud/local/upload"],
  ["GET", "/cloud/local/list"],
  ["POST", "/cloud/local/download"],
  ["GET", "/cloud/local/shared-link"],
  ["GET", "/cloud/local/metadata"],
  ["DELETE", "/cloud/local/object"],
  ["POST", "/sync/session/start"],
  ["GET", "/sync/session/{}/status"],
  ["POST", "/sync/session/{}/complete"],
  ["GET", "/sync/session/{}/events"],
  ["DELETE", "/sync/session/{}"],
  ["GET", "/sync/session"],
  ["GET", "/keys"],
  ["POST", "/keys"],
  ["DELETE", "/keys/{}"],
  ["POST", "/webhooks/subscribe"],
  ["GET", "/webhooks"],
  ["DELETE", "/webhooks/{}"],
  ["GET", "/webhooks/{}/deliveries"],
  ["POST", "/webhooks/{}/deliveries/{}/redeliver"],
  ["POST", "/webhooks/{}/test"],
];

/** The route with an id that nothing has. */
export function withoutMatch(path: string): string {
  return path.replaceAll("{}", "session-00000000-0000-4000-8000-000000000000");
}

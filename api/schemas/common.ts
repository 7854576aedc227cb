/** Pieces that several schemas share. */
import { z } from "@hono/zod-openapi";

/** Bytes; the longest path that Linux takes. */
const MAX_PATH_BYTES = 4096;
const encoder = new TextEncoder();

/** A NUL ends a name in the C library, and half a surrogate pair has no bytes. */
const isCleanText = (text: string) => text.isWellFormed() && !text.includes("\0");
const CLEAN = "must be well-formed Unicode without NUL characters";

/** Text of a request: well-formed, no NUL, of bounded length. */
export function text(least: number, most: number) {
  return z.string().min(least).max(most).refine(isCleanText, CLEAN);
}

/** A local path as a request gives it. Whether it may be used is for `PathGuard` to say. */
export const localPath = z.string()
  .refine((path) => path.startsWith("/"), { error: "must be an absolute path", abort: true })
  .refine((path) => encoder.encode(path).length <= MAX_PATH_BYTES, {
    error: `must have at most ${MAX_PATH_BYTES} bytes`,
    abort: true,
  })
  .refine(isCleanText, CLEAN);

/** The query of a list whose pages go on below a number, which is the cursor. */
export const numberedPage = {
  limit: z.string().regex(/^\d{1,4}$/, "must be a whole number").transform(Number)
    .refine((value) => value >= 1 && value <= 1_000, "must be from 1 to 1000").default(100)
    .openapi({ type: "integer", default: 100 }),
  cursor: z.string().regex(/^\d{1,15}$/, "must be a cursor").transform(Number).optional().openapi({
    type: "string",
    description: "`nextCursor` of the page before.",
  }),
};

/** The cursor after a page of such a list: null where it is the last one. */
export function cursorAfter(page: { id: number }[], limit: number): string | null {
  return page.length < limit ? null : String(page[page.length - 1].id);
}

/** The path's `id`. */
export const idParams = z.object({
  id: z.string().min(1).max(128).openapi({ param: { name: "id", in: "path" } }),
});

export const timestamp = z.iso.datetime().openapi({ example: "2024-01-15T10:30:00Z" });

export const ErrorSchema = z.object({
  errorCode: z.string().openapi({ example: "SYNC_FAILED" }),
  message: z.string().openapi({ example: "Synchronization operation failed" }),
  details: z.string().openapi({ example: "Source directory not found" }),
  timestamp,
}).openapi("Error");

const DESCRIPTIONS = {
  400: "Invalid request parameters (INVALID_REQUEST)",
  401: "Missing or invalid authentication (UNAUTHORIZED)",
  403: "Insufficient permissions (FORBIDDEN)",
  404: "Resource not found (NOT_FOUND)",
  409: "The state of things forbids it now (CONFLICT)",
  413: "The body is too large (PAYLOAD_TOO_LARGE)",
  416: "The range is outside of the file (INVALID_REQUEST)",
  429: "Too many requests (RATE_LIMITED)",
  500: "The operation failed (SYNC_FAILED, DATABASE_ERROR, BACKUP_FAILED, MERGE_FAILED, INTERNAL_ERROR)",
  503: "The server is stopping (UNAVAILABLE), or a cloud storage cannot be used (CLOUD_ERROR)",
} as const;

type DocumentedStatus = keyof typeof DESCRIPTIONS;

function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON answer of a route's definition. */
export const jsonAnswer = json;

type ErrorAnswers = { [Status in DocumentedStatus]?: ReturnType<typeof json<typeof ErrorSchema>> };

/** The error answers of a route's definition: those named and those that any route may give. Handlers throw them. */
export function errorAnswers(...statuses: DocumentedStatus[]): ErrorAnswers {
  const all = new Set<DocumentedStatus>([...statuses, 401, 403, 429, 500]);
  return Object.fromEntries([...all].sort().map((status) => [status, json(ErrorSchema, DESCRIPTIONS[status])]));
}

/** What requests about object stores say, and what they are answered. */
import { z } from "@hono/zod-openapi";
import { localPath, text, timestamp } from "./common.ts";

/** A key's bytes are counted by the store. */
const cloudPath = text(1, 1025).transform((path) => path.replace(/^\//, ""))
  .refine((path) => path !== "", "must not be empty")
  .openapi({ type: "string", example: "backups/file.zip", description: "The object's key; a leading `/` is dropped." });

/** S3 takes 2 KiB of names and values. */
const MOST_METADATA = 2048;
/** What every provider can keep: they become names of HTTP headers, and of C# in Azure. */
const METADATA_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;

const metadata = z.record(z.string(), z.string())
  .superRefine((given, context) => {
    const names = Object.keys(given);
    const bad = names.filter((name) => !METADATA_NAME.test(name) || /^syncline-/i.test(name) || /_x2d_/i.test(name));
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (bad.length > 0) {
      refuse(
        `has names that cannot be kept: ${
          bad.map((name) => JSON.stringify(name)).join(", ")
        }; a name begins with a letter ` +
          "or _, goes on with letters, digits, _ and -, and does not begin with syncline-",
      );
    }
    const lower = names.map((name) => name.toLowerCase());
    const twice = lower.filter((name, index) => lower.indexOf(name) !== index);
    if (twice.length > 0) refuse(`names ${twice.join(", ")} twice, since case does not count`);
    const odd = names.filter((name) =>
      !/^[\x20-\x7e]*$/.test(given[name]) || given[name].trim() !== given[name] || given[name] === ""
    );
    if (odd.length > 0) {
      refuse(
        `has values that cannot be kept: those of ${
          odd.join(", ")
        }; a value is printable ASCII without spaces around it`,
      );
    }
    const bytes = names.reduce((sum, name) => sum + name.length + given[name].length, 0);
    if (bytes > MOST_METADATA) refuse(`has ${bytes} bytes; at most ${MOST_METADATA} can be kept`);
  })
  .transform((given) => Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])))
  .openapi({
    type: "object",
    additionalProperties: { type: "string" },
    example: { "backup-type": "full", version: "1.0" },
    description: "Names are kept in lower case.",
  });

const sessionId = text(1, 128).optional().openapi({ description: "A session started by hand that this run joins." });

/** An unknown one is a 404, which the route tells. */
export const ProviderParams = z.object({
  provider: z.string().openapi({ enum: ["s3", "azure", "local"], description: "Cloud provider type" }),
});

export const UploadBody = z.strictObject({
  cloudPath,
  localPath: localPath.openapi({ example: "/local/path/file.zip" }),
  metadata: metadata.default({}),
  contentType: z.string().regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*$/, "must be a media type").max(255)
    .optional()
    .openapi({ description: "Default: what the name's ending says." }),
  sessionId,
}).openapi("CloudUploadRequest");

export const DownloadBody = z.strictObject({
  cloudPath,
  localPath: localPath.openapi({ example: "/local/download/file.zip" }),
  sessionId,
}).openapi("CloudDownloadRequest");

const count = z.int().min(0);

export const TransferAnswer = z.object({
  success: z.literal(true),
  message: z.string().openapi({ example: "File uploaded successfully" }),
  executionTimeMs: count.openapi({ example: 2341 }),
  cloudPath: z.string(),
  localPath: z.string(),
  size: count,
  eTag: z.string(),
  resumed: z.boolean().openapi({ description: "Whether it went on with what an interrupted one had done." }),
  bytesTransferred: count,
  sessionId: z.string(),
}).openapi("CloudTransferResponse");

export const ListQuery = z.strictObject({
  prefix: text(0, 1025).transform((path) => path.replace(/^\//, "")).default("")
    .openapi({ type: "string", description: "Filter by path prefix" }),
  filter: text(1, 1024).optional()
    .openapi({ description: "A glob on the name, such as `*.zip`; with a `/` in it on the whole path" }),
  limit: z.string().regex(/^\d{1,5}$/, "must be a whole number from 1 to 10000").transform(Number)
    .refine((value) => value >= 1 && value <= 10_000, "must be a whole number from 1 to 10000").default(1000)
    .openapi({ type: "integer", default: 1000 }),
  cursor: text(1, 2048).optional().openapi({ description: "`nextCursor` of the page before" }),
});

export const ListAnswer = z.object({
  files: z.array(z.object({
    name: z.string().openapi({ example: "backup-001.zip" }),
    path: z.string().openapi({ example: "backups/backup-001.zip" }),
    size: count.openapi({ example: 1024000000 }),
    modifiedDate: timestamp,
    eTag: z.string().openapi({ example: "abc123def456" }),
  })),
  totalCount: count.openapi({ example: 5, description: "All that match, on this page or not." }),
  nextCursor: z.string().nullable(),
}).openapi("CloudList");

export const ObjectQuery = z.strictObject({ path: cloudPath });

export const LinkQuery = z.strictObject({
  path: cloudPath,
  expiresIn: z.string().regex(/^\d{1,6}$/, "must be a whole number from 1 to 604800").transform(Number)
    .refine((value) => value >= 1 && value <= 604_800, "must be a whole number from 1 to 604800").default(3600)
    .openapi({ type: "integer", default: 3600, description: "Seconds" }),
});

export const LinkAnswer = z.object({
  url: z.string().openapi({ example: "https://storage.example.com/file?sig=..." }),
  expiresAt: timestamp,
}).openapi("CloudLink");

export const ObjectAnswer = z.object({
  name: z.string(),
  path: z.string(),
  size: count,
  modifiedDate: timestamp,
  eTag: z.string(),
  contentType: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
}).openapi("CloudObject");

export const DeleteAnswer = z.object({ success: z.literal(true), message: z.string() }).openapi("CloudDeleteResponse");

export const SharedQuery = z.strictObject({
  path: text(1, 1024),
  expires: z.string().regex(/^\d{1,12}$/).transform(Number).openapi({ type: "integer" }),
  signature: z.string().max(128),
});

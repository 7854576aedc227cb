/** The server's configuration: environment variables, validated once at start. */
import { resolve } from "node:path";
import { z } from "zod";
import { isAllowEntry } from "../engine/jobs/webhooks/mod.ts";
import { LOG_LEVELS, type LogLevel } from "./logging.ts";

export interface Config {
  /** 0: any free port. */
  port: number;
  host: string;
  /** Absolute; not yet resolved, and perhaps not there yet. */
  dataDir: string;
  /** Absolute directories that requests may name, as configured. */
  roots: string[];
  /** The admin token to use in place of a generated one. */
  token: string | undefined;
  workers: number;
  /** Requests a minute for each API key. */
  rateLimit: number;
  /** Opens encrypted repositories, and encrypts new ones. */
  repositoryPassword: string | undefined;
  /** Hosts, addresses and networks that webhooks may reach although they are private. */
  webhookAllow: string[];
  cloud: CloudConfig;
  /** What clients reach the server at, with a slash at its end; undefined: what they say themselves. */
  publicUrl: string | undefined;
  logLevel: LogLevel;
}

/** Which object stores there are. Credentials stay in the environment. */
export interface CloudConfig {
  /** Undefined: neither a bucket nor an endpoint nor credentials are set. */
  s3: { bucket: string | undefined; endpoint: string | undefined; forcePathStyle: boolean } | undefined;
  /** Undefined: no connection string is set. */
  azure: { container: string | undefined } | undefined;
}

/** A variable that cannot be used. Its message is one line, names the variable and never shows a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

function integer(fallback: number, least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.string().regex(/^\d{1,10}$/, rule).transform(Number)
    .refine((value) => value >= least && value <= most, rule)
    .default(fallback);
}

function schema(currentDirectory: string) {
  return z.object({
    PORT: integer(8080, 0, 65_535),
    HOST: z.string().regex(/^[\w.:%-]+$/, "must be a host name or an IP address").default("127.0.0.1"),
    SYNCLINE_DATA_DIR: z.string().default("./data").transform((path) => resolve(currentDirectory, path)),
    SYNCLINE_ROOTS: z.string().default(currentDirectory)
      .transform((list) => list.split(",").map((path) => path.trim()).filter((path) => path !== ""))
      .refine(
        (paths) => paths.length > 0 && paths.every((path) => path.startsWith("/")),
        "must be absolute paths of directories, separated by commas",
      ),
    SYNCLINE_TOKEN: z.string()
      .regex(/^[\w.~+/-]{16,512}=*$/, "must be 16 to 512 letters, digits or any of - . _ ~ + /")
      .optional(),
    SYNCLINE_WORKERS: integer(Math.min(navigator.hardwareConcurrency, 64), 1, 64),
    SYNCLINE_RATE_LIMIT: integer(100, 1, 1_000_000_000),
    SYNCLINE_REPOSITORY_PASSWORD: z.string().max(1024, "must be at most 1024 characters long").optional(),
    S3_BUCKET: z.string().regex(/^[A-Za-z0-9._-]{1,255}$/, "must be the name of a bucket").optional(),
    S3_ENDPOINT: z.string().refine(isHttpUrl, "must be a URL that begins with http:// or https://").optional(),
    S3_FORCE_PATH_STYLE: z.enum(["true", "false"], "must be true or false").optional(),
    AWS_ACCESS_KEY_ID: z.string().optional(),
    AWS_PROFILE: z.string().optional(),
    AZURE_STORAGE_CONNECTION_STRING: z.string().optional(),
    AZURE_STORAGE_CONTAINER: z.string().regex(/^[a-z0-9$-]{1,63}$/, "must be the name of a container").optional(),
    SYNCLINE_WEBHOOK_ALLOW: z.string().default("")
      .transform((list) => list.split(",").map((entry) => entry.trim()).filter((entry) => entry !== ""))
      .refine(
        (entries) => entries.every(isAllowEntry),
        "must be host names, IP addresses or networks (10.0.0.0/8), separated by commas",
      ),
    SYNCLINE_PUBLIC_URL: z.string().refine(
      isPlainUrl,
      "must be a URL that begins with http:// or https://, without a user or a query",
    )
      .transform((url) => url.replace(/\/*$/, "/")).optional(),
    SYNCLINE_LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default("info"),
  });
}

/**
 * Reads the variables that Syncline knows; an empty one counts as unset.
 * @throws ConfigError naming the first variable that cannot be used and what it may be.
 */
export function readConfig(env: Record<string, string | undefined>, currentDirectory: string): Config {
  const shape = schema(currentDirectory);
  const given = Object.fromEntries(Object.keys(shape.shape).map((name) => [name, env[name] || undefined]));
  const parsed = shape.safeParse(given);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new ConfigError(`${path.join(".")} ${message}`);
  }
  const values = parsed.data;
  return {
    port: values.PORT,
    host: values.HOST,
    dataDir: values.SYNCLINE_DATA_DIR,
    roots: values.SYNCLINE_ROOTS,
    token: values.SYNCLINE_TOKEN,
    workers: values.SYNCLINE_WORKERS,
    rateLimit: values.SYNCLINE_RATE_LIMIT,
    repositoryPassword: values.SYNCLINE_REPOSITORY_PASSWORD,
    webhookAllow: values.SYNCLINE_WEBHOOK_ALLOW,
    cloud: cloudOf(values),
    publicUrl: values.SYNCLINE_PUBLIC_URL,
    logLevel: values.SYNCLINE_LOG_LEVEL,
  };
}

function cloudOf(values: z.infer<ReturnType<typeof schema>>): CloudConfig {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, AZURE_STORAGE_CONTAINER: container } = values;
  const hasS3 = bucket ?? endpoint ?? values.AWS_ACCESS_KEY_ID ?? values.AWS_PROFILE;
  // Services of one's own rarely have a host name for each bucket.
  const style = values.S3_FORCE_PATH_STYLE ?? (endpoint === undefined ? "false" : "true");
  return {
    s3: hasS3 === undefined ? undefined : { bucket, endpoint, forcePathStyle: style === "true" },
    azure: values.AZURE_STORAGE_CONNECTION_STRING === undefined ? undefined : { container },
  };
}

function isPlainUrl(text: string): boolean {
  if (!isHttpUrl(text)) return false;
  const { search, hash, username } = new URL(text);
  return search === "" && hash === "" && username === "";
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

import assert from "node:assert/strict";
import { ConfigError, readConfig } from "./config.ts";

Deno.test("without variables the defaults hold, and an empty one counts as unset", () => {
  const config = readConfig({ PORT: "", SYNCLINE_TOKEN: "", UNKNOWN: "x" }, "/here");
  const { workers, ...rest } = config;
  assert.ok(workers >= 1);
  assert.deepEqual(rest, {
    port: 8080,
    host: "127.0.0.1",
    dataDir: "/here/data",
    roots: ["/here"],
    token: undefined,
    rateLimit: 100,
    repositoryPassword: undefined,
    webhookAllow: [],
    cloud: { s3: undefined, azure: undefined },
    publicUrl: undefined,
    logLevel: "info",
  });
});

Deno.test("each variable is taken", () => {
  const config = readConfig({
    PORT: "0",
    HOST: "::1",
    SYNCLINE_DATA_DIR: "../state",
    SYNCLINE_ROOTS: "/a, /b c ,",
    SYNCLINE_TOKEN: "0123456789abcdef",
    SYNCLINE_WORKERS: "3",
    SYNCLINE_RATE_LIMIT: "1000000000",
    SYNCLINE_REPOSITORY_PASSWORD: "correct horse",
    SYNCLINE_WEBHOOK_ALLOW: "hooks.internal, 10.0.0.0/8",
    S3_BUCKET: "bucket",
    S3_ENDPOINT: "http://127.0.0.1:9000",
    AZURE_STORAGE_CONNECTION_STRING: "AccountName=a;AccountKey=secret;",
    AZURE_STORAGE_CONTAINER: "container",
    SYNCLINE_PUBLIC_URL: "https://example.org/sync",
    SYNCLINE_LOG_LEVEL: "debug",
  }, "/here/sub");
  assert.deepEqual(config, {
    port: 0,
    host: "::1",
    dataDir: "/here/state",
    roots: ["/a", "/b c"],
    token: "0123456789abcdef",
    workers: 3,
    rateLimit: 1_000_000_000,
    repositoryPassword: "correct horse",
    webhookAllow: ["hooks.internal", "10.0.0.0/8"],
    cloud: {
      s3: { bucket: "bucket", endpoint: "http://127.0.0.1:9000", forcePathStyle: true },
      azure: { container: "container" },
    },
    publicUrl: "https://example.org/sync/",
    logLevel: "debug",
  });
});

Deno.test("a value that cannot be used is named in one line, with what it may be; a secret is not shown", () => {
  const cases: [string, string, RegExp][] = [
    ["PORT", "http", /0 to 65535/],
    ["PORT", "65536", /0 to 65535/],
    ["PORT", "1e3", /whole number/],
    ["HOST", "a b", /host name/],
    ["SYNCLINE_ROOTS", "relative", /absolute/],
    ["SYNCLINE_ROOTS", ",", /absolute/],
    ["SYNCLINE_TOKEN", "short-secret", /16 to 512/],
    ["SYNCLINE_TOKEN", "with spaces in it, long", /16 to 512/],
    ["SYNCLINE_WORKERS", "0", /1 to 64/],
    ["SYNCLINE_RATE_LIMIT", "0", /1 to 1000000000/],
    ["SYNCLINE_REPOSITORY_PASSWORD", "secret".repeat(200), /at most 1024/],
    ["SYNCLINE_WEBHOOK_ALLOW", "http://here", /host names, IP addresses or networks/],
    ["S3_BUCKET", "a/b", /bucket/],
    ["S3_ENDPOINT", "localhost:9000", /http:\/\//],
    ["S3_FORCE_PATH_STYLE", "yes", /true or false/],
    ["AZURE_STORAGE_CONTAINER", "Not One", /container/],
    ["SYNCLINE_PUBLIC_URL", "example.org", /http:\/\//],
    ["SYNCLINE_PUBLIC_URL", "https://user:secret@example.org", /without/],
    ["SYNCLINE_PUBLIC_URL", "https://example.org/?secret=1", /without/],
    ["SYNCLINE_LOG_LEVEL", "loud", /debug, info, warn, error/],
  ];
  for (const [name, value, rule] of cases) {
    assert.throws(() => readConfig({ [name]: value }, "/here"), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(error.message.startsWith(`${name} must be`), error.message);
      assert.match(error.message, rule);
      assert.doesNotMatch(error.message, /\n|secret/);
      return true;
    });
  }
});

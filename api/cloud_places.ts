import type { CloudLocation, StoreLocation } from "../engine/cloud/object_store.ts";
import type { CloudConfig } from "./config.ts";
import { ApiError } from "./errors.ts";

export const PROVIDERS = ["s3", "azure", "local"] as const;
export type Provider = typeof PROVIDERS[number];

const S3_VARIABLES =
  "S3_BUCKET, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and S3_ENDPOINT for a service that is not Amazon's)";
const AZURE_VARIABLES = "AZURE_STORAGE_CONNECTION_STRING and AZURE_STORAGE_CONTAINER";

/** Where the configured object stores are. */
export class CloudPlaces {
  readonly #config: CloudConfig;
  readonly #local: string;

  /** @param local the directory of the provider `local`. */
  constructor(config: CloudConfig, local: string) {
    this.#config = config;
    this.#local = local;
  }

  /** @throws ApiError 503 where it is not configured */
  ofProvider(provider: Provider): CloudLocation {
    if (provider === "local") return { type: "directory", path: this.#local };
    const { s3, azure } = this.#config;
    if (provider === "s3") {
      if (s3?.bucket === undefined) throw notConfigured("S3", S3_VARIABLES);
      return this.#s3(s3.bucket, "");
    }
    if (azure?.container === undefined) throw notConfigured("Azure", AZURE_VARIABLES);
    return { type: "azure", container: azure.container, prefix: "" };
  }

  /** The distant providers that can be used. */
  configured(): ("s3" | "azure")[] {
    const { s3, azure } = this.#config;
    return [
      ...s3?.bucket === undefined ? [] : ["s3" as const],
      ...azure?.container === undefined ? [] : ["azure" as const],
    ];
  }

  /**
   * The place that `s3://bucket/prefix` or `azure://container/prefix` names; undefined for what is no such URL.
   * @throws ApiError 503 where the cloud is not configured, 400 where the name is none
   */
  ofUrl(url: string): StoreLocation | undefined {
    const match = /^(s3|azure):\/\/([^/]+)(.*)$/s.exec(url);
    if (match === null) return undefined;
    const [, scheme, bucket] = match;
    const prefix = match[3].split("/").filter((part) => part !== "").join("/");
    if (scheme === "s3") {
      if (this.#config.s3 === undefined) throw notConfigured("S3", S3_VARIABLES);
      return this.#s3(bucket, prefix);
    }
    if (this.#config.azure === undefined) throw notConfigured("Azure", AZURE_VARIABLES);
    return { type: "azure", container: bucket, prefix };
  }

  #s3(bucket: string, prefix: string): CloudLocation & { type: "s3" } {
    const { endpoint, forcePathStyle = false } = this.#config.s3 ?? {};
    return { type: "s3", bucket, prefix, forcePathStyle, ...(endpoint === undefined ? {} : { endpoint }) };
  }
}

function notConfigured(name: string, variables: string): ApiError {
  const details = `${name} is not configured on this server: set ${variables}, and start it again.`;
  return new ApiError(503, "CLOUD_ERROR", "The cloud storage is not configured", details);
}

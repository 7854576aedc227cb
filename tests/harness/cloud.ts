/** A server that has object stores, which the test file starts. */
import { azureClient } from "../../engine/cloud/azure_client.ts";
import { s3Client } from "../../engine/cloud/s3_client.ts";
import { azureEnvironment, type Emulator, s3Environment, startAzure, startS3 } from "./emulator.ts";

export const BUCKET = "syncline-test";

export interface CloudEmulators extends AsyncDisposable {
  readonly s3: Emulator;
  readonly azure: Emulator;
  /** What a server needs in its environment. */
  readonly env: Record<string, string>;
}

/** Starts both, each with an empty bucket; this process's environment gets their variables too. */
export async function startClouds(): Promise<CloudEmulators> {
  const [s3, azure] = await Promise.all([startS3(), startAzure()]);
  const env = { ...s3Environment(s3, BUCKET), ...azureEnvironment(azure, BUCKET) };
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  const location = { type: "s3", bucket: BUCKET, prefix: "", endpoint: s3.url, forcePathStyle: true } as const;
  const { sdk, client } = await s3Client(location);
  await client.send(new sdk.CreateBucketCommand({ Bucket: BUCKET }));
  await (await azureClient(BUCKET)).container.create();
  return {
    s3,
    azure,
    env,
    async [Symbol.asyncDispose]() {
      await Promise.all([s3[Symbol.asyncDispose](), azure[Symbol.asyncDispose]()]);
    },
  };
}

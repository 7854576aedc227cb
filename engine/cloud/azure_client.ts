import type { ContainerClient } from "@azure/storage-blob";
import { StoreError } from "./object_store.ts";

export type AzureSdk = typeof import("@azure/storage-blob");

export interface AzureAccess {
  sdk: AzureSdk;
  container: ContainerClient;
}

const VARIABLE = "AZURE_STORAGE_CONNECTION_STRING";
const clients = new Map<string, Promise<AzureAccess>>();

/** The thread's client of a container; the SDK is loaded for the first. Credentials are in the process's environment. */
export function azureClient(container: string): Promise<AzureAccess> {
  const connection = Deno.env.get(VARIABLE);
  if (connection === undefined || connection === "") {
    return Promise.reject(new StoreError("denied", `azure://${container}: no credentials; set ${VARIABLE}`));
  }
  const name = `${container}\n${connection}`;
  let client = clients.get(name);
  if (client === undefined) clients.set(name, client = connect(connection, container));
  return client;
}

async function connect(connection: string, name: string): Promise<AzureAccess> {
  const sdk = await import("@azure/storage-blob");
  try {
    // One policy retries: the store's.
    const service = sdk.BlobServiceClient.fromConnectionString(connection, { retryOptions: { maxTries: 1 } });
    return { sdk, container: service.getContainerClient(name) };
  } catch {
    // The SDK's message may quote the string, which holds the key.
    throw new StoreError("denied", `azure://${name}: ${VARIABLE} is no connection string`);
  }
}

/** The server as a command: reads the configuration, wires the parts, listens. */
import { ensureAdminToken } from "../api/admin_token.ts";
import { createApp } from "../api/app.ts";
import { CloudPlaces } from "../api/cloud_places.ts";
import { readConfig } from "../api/config.ts";
import { HealthProbe } from "../api/health.ts";
import { logPoolEvent } from "../api/log_pool_event.ts";
import { createLogger } from "../api/logging.ts";
import { PathGuard } from "../api/paths.ts";
import { exitOnFailure, stopOnSignals, surviveRejections } from "../api/process.ts";
import { performSchedule } from "../api/perform_schedule.ts";
import { PrometheusMetrics } from "../api/prometheus.ts";
import { listen } from "../api/serve.ts";
import { shutDown } from "../api/shutdown.ts";
import { welcome } from "../api/welcome.ts";
import { backupOperations } from "../engine/backup/mod.ts";
import type { CloudLocation } from "../engine/cloud/object_store.ts";
import { LinkSigner } from "../engine/cloud/link_signer.ts";
import { openCloudStore } from "../engine/cloud/open_store.ts";
import { RemoteStore } from "../engine/cloud/remote_store.ts";
import { cleanJournals } from "../engine/cloud/transfer/clean_journals.ts";
import { cloudOperations } from "../engine/cloud/transfer/cloud_operations.ts";
import { CloudUsage } from "../engine/cloud/transfer/usage.ts";
import { databaseOperations, DiffStore, TableLocks } from "../engine/database/mod.ts";
import { PathLocks, prepareDataDirectory, syncFiles } from "../engine/files/mod.ts";
import { Sessions } from "../engine/jobs/mod.ts";
import { Scheduler } from "../engine/jobs/schedules/mod.ts";
import { Webhooks } from "../engine/jobs/webhooks/mod.ts";
import { mergeOperation } from "../engine/merge/mod.ts";
import { openState } from "../engine/state/mod.ts";
import { createPool } from "../workers/pool.ts";
import { createDatabasePool } from "./database_pool.ts";

/** Resolves once the server listens; it runs until a signal stops it. Exits with 1 where it cannot start. */
export function serve(): Promise<void> {
  return exitOnFailure(start);
}

async function start(): Promise<void> {
  const config = readConfig(Deno.env.toObject(), Deno.cwd());
  const logger = createLogger({ level: config.logLevel, sink: Deno.stderr });
  surviveRejections(logger);

  const report = (message: string, error: unknown) => logger.error(message, { error });
  const state = await openState({ dataDir: config.dataDir, report });
  const dataDir = await Deno.realPath(config.dataDir);
  await prepareDataDirectory(dataDir);
  const paths = await PathGuard.open(config.roots, dataDir);
  const token = await ensureAdminToken(state.keys, { dataDir, token: config.token });
  const clouds = new CloudPlaces(config.cloud, `${dataDir}/cloud/objects`);
  const places = clouds.configured().map((provider) => ({ provider, location: clouds.ofProvider(provider) }));
  const health = new HealthProbe({ dataDir, ping: () => state.ping(), clouds: cloudProbes(places) });
  const webhooks = new Webhooks({ store: state.webhooks, allow: config.webhookAllow, report });
  const sessions = await Sessions.open(state, () => webhooks.wake());
  webhooks.wake();
  const scheduler = new Scheduler(state.schedules, report);
  const pool = createPool({ size: config.workers, onEvent: (event) => logPoolEvent(logger, event) });
  const databasePool = createDatabasePool(DATABASE_WORKERS, logger);
  const services = { pool, dataDir, locks: new PathLocks() };
  const backupServices = { ...services, password: config.repositoryPassword, host: Deno.hostname() };
  const stopping = new AbortController();
  const journals = `${dataDir}/cloud/transfers`;
  await Deno.mkdir(journals, { recursive: true, mode: 0o700 });
  const cloud = cloudOperations({ pool, journals });
  const local = openCloudStore(clouds.ofProvider("local"));
  // Nobody is at work yet, so whatever is unfinished was interrupted.
  await local.removeUnfinished(new Date(Date.now() + 1000)).catch((error) =>
    report("Cannot remove old uploads", error)
  );
  const usage = new CloudUsage({
    operations: cloud,
    places: [...places, { provider: "local", location: clouds.ofProvider("local") }],
    store: (provider, bytes) => state.metrics.setCloudUsage(provider, bytes),
    report,
  });

  const app = createApp({
    state,
    sessions,
    syncFiles: (request, job) => syncFiles(request, services, job),
    databases: databaseOperations({ databasePool, dataDir, locks: new TableLocks(), diffs: new DiffStore() }),
    mergeFiles: mergeOperation(pool),
    backups: backupOperations(backupServices),
    cloud,
    clouds,
    usage,
    links: await LinkSigner.open(`${dataDir}/cloud/link-key`),
    webhooks,
    scheduler,
    openLocal: (key, range) => local.get(key, range),
    publicUrl: config.publicUrl,
    paths,
    health,
    prometheus: new PrometheusMetrics({ sessions, pool, backups: state.backups, schedules: scheduler }),
    logger,
    rateLimit: config.rateLimit,
    stopping: stopping.signal,
  });
  await scheduler.start(performSchedule(app, sessions, stopping.signal));
  const clean = () =>
    void cleanJournals({ pool, journals }, report)
      .catch((error) => report("Cannot clean up interrupted transfers", error));
  clean();
  Deno.unrefTimer(setInterval(clean, CLEAN_MS));
  // Before clients can take the descriptors that a thread needs to start.
  await pool.ready();
  const listener = listen({ fetch: app.fetch, host: config.host, port: config.port, logger });
  stopOnSignals(
    logger,
    () => shutDown({ listener, sessions, pool, databasePool, scheduler, webhooks, state, logger, stopping }),
  );
  await Deno.stdout.write(new TextEncoder().encode(welcome(listener.url, token)));
}

const PROBE_MS = 3_000;
const CLEAN_MS = 3_600_000;
/** Synchronisations of databases that run at once; more wait. */
const DATABASE_WORKERS = 2;

function cloudProbes(places: { provider: "s3" | "azure"; location: CloudLocation }[]) {
  return Object.fromEntries(places.map(({ provider, location }) => {
    const store = openCloudStore(location);
    return [provider, () => store instanceof RemoteStore ? store.probe(PROBE_MS) : Promise.resolve()];
  }));
}

/** The server as a command: reads the configuration, wires the parts, listens. */
import { ensureAdminToken } from "../api/admin_token.ts";
import { createApp } from "../api/app.ts";
import { readConfig } from "../api/config.ts";
import { HealthProbe } from "../api/health.ts";
import { logPoolEvent } from "../api/log_pool_event.ts";
import { createLogger } from "../api/logging.ts";
import { PathGuard } from "../api/paths.ts";
import { exitOnFailure, stopOnSignals, surviveRejections } from "../api/process.ts";
import { PrometheusMetrics } from "../api/prometheus.ts";
import { listen } from "../api/serve.ts";
import { shutDown } from "../api/shutdown.ts";
import { welcome } from "../api/welcome.ts";
import { backupOperations } from "../engine/backup/mod.ts";
import { PathLocks, prepareDataDirectory, syncFiles } from "../engine/files/mod.ts";
import { Sessions } from "../engine/jobs/mod.ts";
import { openState } from "../engine/state/mod.ts";
import { createPool } from "../workers/pool.ts";

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
  const health = new HealthProbe({ dataDir, ping: () => state.ping() });
  const sessions = await Sessions.open(state);
  const pool = createPool({ size: config.workers, onEvent: (event) => logPoolEvent(logger, event) });
  const services = { pool, dataDir, locks: new PathLocks() };
  const backupServices = { ...services, password: config.repositoryPassword, host: Deno.hostname() };
  const stopping = new AbortController();

  const app = createApp({
    state,
    sessions,
    syncFiles: (request, job) => syncFiles(request, services, job),
    backups: backupOperations(backupServices),
    paths,
    health,
    prometheus: new PrometheusMetrics({ sessions, pool, backups: state.backups }),
    logger,
    rateLimit: config.rateLimit,
    stopping: stopping.signal,
  });
  const listener = listen({ fetch: app.fetch, host: config.host, port: config.port, logger });
  stopOnSignals(logger, () => shutDown({ listener, sessions, pool, state, logger, stopping }));
  await Deno.stdout.write(new TextEncoder().encode(welcome(listener.url, token)));
}

import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { cronFault, type Schedule, type ScheduleSettings } from "../../engine/jobs/schedules/mod.ts";
import { type AppDependencies, type AppEnv, BASE_PATH } from "../environment.ts";
import { ApiError, invalidRequest } from "../errors.ts";
import { needs } from "../middleware/authentication.ts";
import { cursorAfter, errorAnswers, idParams, jsonAnswer } from "../schemas/common.ts";
import { describeIssues } from "../schemas/issues.ts";
import {
  ChangeScheduleBody,
  CreateScheduleBody,
  OPERATIONS,
  ScheduleAnswer,
  ScheduledRunListAnswer,
  ScheduledRunQuery,
  ScheduleListAnswer,
  shownRequest,
} from "../schemas/schedules.ts";

const PATH = `${BASE_PATH}/schedules`;
const common = { tags: ["Schedules"], ...needs("admin") };

const create = createRoute({
  ...common,
  method: "post",
  path: PATH,
  summary: "Schedules an operation",
  description:
    "It runs whenever the cron expression comes true in its time zone, with an administrator's rights. Runs that were missed " +
    "while the server was down are caught up once; a run that would begin while the one before still runs is left out.",
  request: { body: { required: true, content: { "application/json": { schema: CreateScheduleBody } } } },
  responses: { 201: jsonAnswer(ScheduleAnswer, "Scheduled"), ...errorAnswers(400, 409, 413, 503) },
});

const list = createRoute({
  ...common,
  method: "get",
  path: PATH,
  summary: "Lists schedules, oldest first, with their last and next runs",
  responses: { 200: jsonAnswer(ScheduleListAnswer, "The schedules"), ...errorAnswers() },
});

const get = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}`,
  summary: "Gets a schedule",
  request: { params: idParams },
  responses: { 200: jsonAnswer(ScheduleAnswer, "The schedule"), ...errorAnswers(404) },
});

const change = createRoute({
  ...common,
  method: "patch",
  path: `${PATH}/{id}`,
  summary: "Changes a schedule",
  description: "Fields that are left out stay as they are. A run that is under way goes on.",
  request: {
    params: idParams,
    body: { required: true, content: { "application/json": { schema: ChangeScheduleBody } } },
  },
  responses: { 200: jsonAnswer(ScheduleAnswer, "Changed"), ...errorAnswers(400, 404, 413, 503) },
});

const remove = createRoute({
  ...common,
  method: "delete",
  path: `${PATH}/{id}`,
  summary: "Deletes a schedule with its history",
  request: { params: idParams },
  responses: { 204: { description: "Deleted" }, ...errorAnswers(404, 503) },
});

const runs = createRoute({
  ...common,
  method: "get",
  path: `${PATH}/{id}/runs`,
  summary: "Lists a schedule's runs, newest first",
  description: "The newest 1,000 are kept.",
  request: { params: idParams, query: ScheduledRunQuery },
  responses: { 200: jsonAnswer(ScheduledRunListAnswer, "A page of runs"), ...errorAnswers(400, 404) },
});

export function registerSchedules(app: OpenAPIHono<AppEnv>, { scheduler }: AppDependencies): void {
  const find = (id: string): Schedule => {
    const schedule = scheduler.find(id);
    if (schedule !== undefined) return schedule;
    throw new ApiError(
      404,
      "NOT_FOUND",
      "Schedule not found",
      `There is no schedule with the id ${JSON.stringify(id)}.`,
    );
  };

  app.openapi(create, async (c) => {
    const settings = c.req.valid("json");
    assertSound(settings);
    return c.json(shown(await scheduler.save(settings)), 201);
  });
  app.openapi(list, (c) => {
    const all = scheduler.list();
    return c.json({ schedules: all.map(shown), totalCount: all.length }, 200);
  });
  app.openapi(get, (c) => c.json(shown(find(c.req.valid("param").id)), 200));
  app.openapi(change, async (c) => {
    const { id, name, cron, timeZone, operation, request, enabled } = find(c.req.valid("param").id);
    const settings = { name, cron, timeZone, operation, request, enabled, ...c.req.valid("json") };
    assertSound(settings);
    return c.json(shown(await scheduler.save(settings, id)), 200);
  });
  app.openapi(remove, async (c) => {
    await scheduler.remove(find(c.req.valid("param").id).id);
    return c.body(null, 204);
  });
  app.openapi(runs, (c) => {
    const { id: scheduleId } = find(c.req.valid("param").id);
    const { limit, cursor: before } = c.req.valid("query");
    const page = scheduler.runs({ scheduleId, limit, before });
    return c.json({ runs: page, nextCursor: cursorAfter(page, limit) }, 200);
  });
}

function shown(schedule: Schedule): Schedule {
  return { ...schedule, request: shownRequest(schedule.request) };
}

/** @throws ApiError 400 for an expression that never comes true and for a request that its endpoint would refuse */
function assertSound({ cron, timeZone, operation, request }: ScheduleSettings): void {
  const fault = cronFault(cron, timeZone);
  if (fault !== undefined) throw invalidRequest(`"${fault.field}" ${fault.fault}`);
  const { success, error } = OPERATIONS[operation].body.safeParse(request);
  if (!success) throw invalidRequest(`"request" of ${operation}: ${describeIssues(error.issues)}`);
  // Whatever cannot be shown cannot be used either.
  shownRequest(request);
}

/** Parameters that may come in the query, in a JSON body, or some in each. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "./environment.ts";
import { invalidRequest } from "./errors.ts";

/** The query's part of a route's `request`: the fields as text, each optional until both parts are known. */
export function asQuery(schema: z.ZodObject) {
  const fields = Object.entries<z.ZodType>(schema.shape).map(([name, field]) => [name, textOf(field).optional()]);
  return z.strictObject(Object.fromEntries(fields));
}

/** The body's part: the fields as they are, each optional. */
export function asBody(schema: z.ZodObject, name: string) {
  const fields = Object.entries<z.ZodType>(schema.shape).map(([name, field]) => [name, withoutDefault(field)]);
  const body = z.strictObject(Object.fromEntries(fields)).openapi(name);
  return { required: false, content: { "application/json": { schema: body } } };
}

/**
 * What a request says in both parts together, checked as a whole.
 * @throws ApiError 400 for a field that the two parts give differently, ZodError for what else is wrong
 */
export async function readParameters<T>(c: Context<AppEnv>, schema: z.ZodType<T>): Promise<T> {
  const { query, json } = partsOf(c);
  const given: Record<string, unknown> = { ...query };
  if (json) {
    for (const [name, value] of Object.entries(await c.req.json())) {
      if (given[name] !== undefined && JSON.stringify(given[name]) !== JSON.stringify(value)) {
        throw invalidRequest(`"${name}" is in the query and in the body, and differs.`);
      }
      given[name] = value;
    }
  }
  return schema.parse(given);
}

/** Both were checked by the route's definition; the body is read again, since its check may have transformed it. */
function partsOf(c: Context<AppEnv>): { query: Record<string, unknown>; json: boolean } {
  const valid = c.req.valid as (target: string) => Record<string, unknown>;
  return { query: valid.call(c.req, "query"), json: (c.get("body")?.length ?? 0) > 0 };
}

/** Optional, and undefined where it is not given: a default is for the whole. */
function withoutDefault(field: z.ZodType): z.ZodType {
  return (field.type === "default" ? innerType(field) : field).optional();
}

/** What a default, or an optional field, is of; the field itself where it is neither. */
function innerType(field: z.ZodType): z.ZodType {
  return (field.def as { innerType?: z.ZodType }).innerType ?? field;
}

function textOf(field: z.ZodType): z.ZodType {
  const { description } = field.meta() ?? {};
  switch (innerType(field).type) {
    case "number":
      return z.string().regex(/^-?\d+(?:\.\d+)?$/, "must be a number").transform(Number)
        .openapi({ type: "number", description });
    case "boolean":
      return z.enum(["true", "false"]).transform((value) => value === "true").openapi({ type: "boolean", description });
    case "array":
      return z.union([z.array(z.string()), z.string().transform((item) => [item])])
        .openapi({ type: "array", items: { type: "string" }, description });
    default:
      return z.string().openapi({ description });
  }
}

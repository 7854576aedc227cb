import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../environment.ts";

/** Lets a request through, or throws the answer that refuses it. Never waits. */
export type Guard = (c: Context<AppEnv>) => void;

/** Both guards in order as one middleware: each middleware costs a request a promise and two closures. */
export function guarded(first: Guard, second: Guard): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    first(c);
    second(c);
    return next();
  };
}

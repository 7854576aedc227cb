import type { Context } from "hono";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../environment.ts";

/** Of the API's description, not of the program. */
const API_VERSION = "1.0.0";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Syncline API</title>
<link rel="icon" href="/docs/icon.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Two arrows that pass each other. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#2563eb" stroke-width="2">
<path d="M2 5h11M10 2l3 3-3 3M14 11H3m3-3-3 3 3 3"/>
</svg>
`;

const START =
  `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });\n`;

/** Everything comes from this process; Swagger UI sets styles on elements and has its icons in `data:` URLs. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /openapi.json`, made from the routes of `app` at its first use, and `GET /docs`, which shows it. */
export function registerDocumentation(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key's token. Each operation lists the scope that it needs; `admin` implies all.",
  });
  let description: string | undefined;
  app.get("/openapi.json", (c) => {
    description ??= JSON.stringify(app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Syncline",
        version: API_VERSION,
        description: "Synchronises and backs up directories, databases and object stores.",
        license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
      },
      servers: [{ url: "/" }],
    }));
    return c.body(description, 200, { "Content-Type": "application/json" });
  });

  app.get("/docs", (c) => {
    c.header("Content-Security-Policy", POLICY);
    return c.body(PAGE, 200, { "Content-Type": "text/html; charset=utf-8" });
  });
  app.get("/docs/start.js", (c) => asset(c, START, "text/javascript"));
  app.get("/docs/icon.svg", (c) => asset(c, ICON, "image/svg+xml"));
  app.get("/docs/swagger-ui-bundle.js", async (c) => {
    const { default: script } = await import("swagger-ui-dist/swagger-ui-bundle.js", { with: { type: "text" } });
    return asset(c, script, "text/javascript");
  });
  app.get("/docs/swagger-ui.css", async (c) => {
    const { default: style } = await import("swagger-ui-dist/swagger-ui.css", { with: { type: "text" } });
    return asset(c, style, "text/css");
  });
}

function asset(c: Context<AppEnv>, content: string, type: string): Response {
  c.header("Cache-Control", "public, max-age=3600");
  return c.body(content, 200, { "Content-Type": `${type}; charset=utf-8` });
}

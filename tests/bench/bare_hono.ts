/** The application that Syncline's `GET /health` is held against: Hono with that one route, and nothing measured in it. */
import { Hono } from "hono";
import { print } from "./print.ts";

const app = new Hono();
app.get("/api/v1/health", (c) =>
  c.json({
    status: "healthy",
    timestamp: new Date().toISOString(),
    details: { database: "connected", storage: "available", memory: "normal" },
  }));
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => print(String(port)) }, app.fetch);

/** `/docs` as a browser shows it. */
import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { inBrowser, startBrowser } from "./browser.ts";

Deno.test({
  ...inBrowser("the reference page shows every endpoint, from this server alone and without an error"),
  fn: showsEveryEndpoint,
});

async function showsEveryEndpoint() {
  await using server = await startServer();
  await using browser = await startBrowser();
  const page = await browser.context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  // The context's, so that service workers and frames count too.
  browser.context.on("request", (request) => asked.push(request.url()));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on(
    "response",
    (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`),
  );
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(String(error)));

  await page.goto(`${server.url}/docs`);
  await page.locator(".opblock").first().waitFor();
  const description = (await server.request("GET", "//openapi.json")).body;
  const described = Object.entries<object>(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
  );
  const shown = await page.locator(".opblock-summary").evaluateAll((blocks) =>
    blocks.map((block) => {
      const text = (part: string) => block.querySelector(part)?.textContent?.replaceAll("\u200b", "").trim();
      return `${text(".opblock-summary-method")} ${text(".opblock-summary-path")}`;
    })
  );
  assert.deepEqual(shown.toSorted(), described.toSorted());
  assert.ok(shown.includes("POST /api/v1/sync/files"));

  // An operation opens to its schema.
  await page.locator(".opblock", { hasText: "/api/v1/sync/files" }).locator(".opblock-summary-control").click();
  await page.getByText("sourceDirectory").first().waitFor();

  // With a token it sends requests.
  await page.getByRole("button", { name: "Authorize" }).click();
  await page.locator(".auth-container input").fill(server.token);
  await page.locator(".auth-container button[type=submit]").click();
  await page.locator(".btn-done").click();
  const health = page.locator(".opblock", { hasText: "/api/v1/health" });
  await health.locator(".opblock-summary-control").click();
  await health.getByRole("button", { name: "Try it out" }).click();
  await health.getByRole("button", { name: "Execute" }).click();
  await health.locator(".live-responses-table .response .response-col_status", { hasText: "200" }).waitFor();

  const elsewhere = asked.filter((url) => !url.startsWith("data:") && new URL(url).origin !== server.url);
  assert.deepEqual(elsewhere, []);
  assert.ok(asked.includes(`${server.url}/docs/swagger-ui-bundle.js`));
  assert.deepEqual(complaints, []);
}

// A real browser, and a witness of everything that goes wrong in it.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const SCREENSHOTS = join(import.meta.dirname, "../screenshots");

/** A debug build on a busy machine takes its time. */
const PATIENCE_MS = 30_000;

/** Nothing of the browser's own may go over the network, or the tests would see it as the page's. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser that ends with the test `t`. */
export async function startBrowser(t) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  t.after(() => browser.close());
  return browser;
}

/**
 * A window on `origin` with cookies of its own, whose pages may call `others`; `witness.complaints` is what went wrong in it
 * so far.
 */
export async function openWindow(browser, origin, viewport, others = []) {
  const context = await browser.newContext({ baseURL: origin, viewport });
  context.setDefaultTimeout(PATIENCE_MS);
  const witness = { complaints: [], requests: [] };
  const complain = (what) => witness.complaints.push(what);
  context.on("request", (request) => {
    const url = new URL(request.url());
    witness.requests.push(`${request.method()} ${url.pathname}`);
    // The pictures in Swagger UI's style sheet.
    if (url.protocol !== "data:" && ![origin, ...others].includes(url.origin)) complain(`a request left for ${url}`);
  });
  context.on("requestfailed", (request) => complain(`${request.url()}: ${request.failure()?.errorText}`));
  context.on("response", (response) => {
    if (response.status() >= 400) complain(`${response.url()}: ${response.status()}`);
  });
  // What the page's policy refuses, the browser says here, too.
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complain(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => complain(`uncaught: ${error.error()}`));
  return { page: await context.newPage(), witness };
}

/** Pictures are for people: the tests say what has to be there, not how it has to look. */
export async function takePicture(page, name, options = {}) {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
}

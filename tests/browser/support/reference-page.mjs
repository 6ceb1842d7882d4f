// What a person does on the reference page.

/** Opens the page about an API, and waits until its operations are there. */
export async function open(page, api) {
  await page.goto(`/docs/${api}`);
  await page.locator(".opblock").first().waitFor();
}

/** An operation, by its tag and name in the contract. */
export function operation(page, tag, operationId) {
  return page.locator(`[id="operations-${tag}-${operationId}"]`);
}

/** Unfolds an operation and presses "Try it out". */
export async function prepare(block) {
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
}

/** Presses "Execute"; says the status and the body that the page then shows. */
export async function execute(block) {
  await block.getByRole("button", { name: "Execute" }).click();
  const response = block.locator(".live-responses-table .response").first();
  const status = await response.locator(".response-col_status").innerText();
  const body = response.locator(".response-col_description .highlight-code code").first();
  return { status: status.trim().split(/\s/)[0], body: await body.innerText() };
}

/** Writes a body in place of the example. */
export async function fillBody(block, body) {
  await block.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
}

/** How far the page is wider than the window, in pixels. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

import { join } from "node:path";
import { test } from "node:test";
import { runJourney } from "../support/journey.mjs";

test("the Go clients of both contracts set up a second factor and sign in with it", async (t) => {
  await runJourney(t, join(import.meta.dirname, "generated/journey"));
});

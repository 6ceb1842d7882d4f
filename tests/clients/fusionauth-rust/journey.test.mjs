import { join } from "node:path";
import { test } from "node:test";
import { runJourney } from "../support/journey.mjs";

test("the crate fusionauth-rust-client sets up a second factor, signs in with it and takes it away", async (t) => {
  await runJourney(t, join(import.meta.dirname, "target/debug/fusionauth-rust"));
});

import { test } from "node:test";
import { runJourney } from "../support/journey.mjs";
import { classPath } from "./support.mjs";

test("the Java clients of both contracts set up a second factor and sign in with it", async (t) => {
  await runJourney(t, "java", "-cp", await classPath(), "Journey");
});

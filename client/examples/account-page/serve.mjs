// Builds the page and serves it.
//
// usage: node serve.mjs [SERVER] [PORT]      (http://localhost:3000 and 5173)
//
// The server has to trust the page's origin: COUNTERSIGN_TRUSTED_ORIGINS=http://localhost:5173

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.mjs";

/** Answers requests for the page that talks to `server`. */
export async function pages(server) {
  const files = await bundle(server);
  return (request, response) => {
    const { pathname } = new URL(request.url, "http://page");
    const file = files[pathname] ?? files["/"];
    response.setHeader("content-type", file.type);
    // Its own code, styles and pictures; calls to the server; nothing else.
    const policy = `default-src 'self'; connect-src ${new URL(server).origin}; img-src data:; frame-ancestors 'none'`;
    response.setHeader("content-security-policy", policy);
    // A link from a mail has its token in the URL.
    response.setHeader("referrer-policy", "no-referrer");
    response.end(file.content);
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [server = "http://localhost:3000", port = "5173"] = process.argv.slice(2);
  createServer(await pages(server)).listen(Number(port), "localhost", () => {
    console.log(`http://localhost:${port} is the page, and ${server} its server`);
  });
}

// Starts Swagger UI on the contract that the page names.

"use strict";

const reference = document.getElementById("reference");

// The contract names the server as it starts on a fresh machine. What is tried here goes to the one that serves this
// page, to the same path of it; the file itself stays as it stands.
const sameServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (contract) => update({ ...contract, servers: onThisServer(contract.servers) }),
      },
    },
  },
});

function onThisServer(servers = [{ url: "/" }]) {
  const url = (server) => location.origin + new URL(server.url, location.origin).pathname.replace(/\/$/, "");
  return servers.map((server) => ({ url: url(server), description: "This server" }));
}

// A browser sends cookies by itself, and lets no script do it: there is nothing to enter.
const noCookies = () => {
  const isEntered = (definitions) => definitions.every((definition) => definition.get("in") !== "cookie");
  const withoutCookies = (select) => (...given) => select(...given).filter(isEntered);
  return { statePlugins: { auth: { wrapSelectors: { definitionsToAuthorize: withoutCookies } } } };
};

SwaggerUIBundle({
  domNode: reference,
  url: reference.dataset.contract,
  plugins: [sameServer, noCookies],
  // No judgement is asked of a server elsewhere.
  validatorUrl: null,
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});

// The types of server.mjs, for tests in TypeScript.

import type { TestContext } from "node:test";

export interface Server {
  readonly baseURL: string;
  readonly dataDirectory: string;
  readonly outbox: string;
  apiKey(...options: string[]): string;
  messagesTo(address: string): Promise<Array<{ to: string; code: string; channel: string }>>;
  mailedCode(address: string): Promise<string>;
}

export function startServer(t: TestContext, settings?: Record<string, string>): Promise<Server>;
export function newKeyring(): string;

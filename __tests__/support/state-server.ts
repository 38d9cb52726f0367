import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server for Terraform's HTTP backend (https://developer.hashicorp.com/terraform/language/backend/http). */
export interface StateServer {
  readonly address: string;
  /** The states by path. */
  readonly states: Map<string, string>;
  /** The number of times that a state was locked. */
  locked(): number;
  close(): void;
}

export async function openStateServer(): Promise<StateServer> {
  const states = new Map<string, string>();
  const locks = new Set<string>();
  let locked = 0;
  /** Returns the status and body of an answer. */
  const answer = (method: string, path: string, body: string): [number, string?] => {
    const [, lock] = /^(.*)\/lock$/.exec(path) ?? [];
    if (lock !== undefined && method === "POST") {
      const held = locks.has(lock);
      locks.add(lock);
      locked++;
      return [held ? 423 : 200];
    }
    if (lock !== undefined) {
      locks.delete(lock);
      return [200];
    }
    if (method === "POST") {
      states.set(path, body);
    }
    return [states.has(path) ? 200 : 404, method === "GET" ? states.get(path) : ""];
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const path = (request.url ?? "").split("?")[0];
      const [status, body] = answer(request.method ?? "", path, Buffer.concat(chunks).toString());
      response.statusCode = status;
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    states,
    locked: () => locked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

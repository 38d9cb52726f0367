// indexer.mjs INDEX URL...: indexes numbered documents, one at a time, as a client of several nodes: if a node does not acknowledge a
// document, sends it to the next one. LOGIN_FILE has the user:password. On SIGTERM, prints how many were acknowledged, and which were not within 30 s.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const [index, ...nodes] = process.argv.slice(2);
const { LOGIN_FILE } = process.env;
const PATIENCE_MS = 30_000;
let ended = false;
process.once("SIGTERM", () => {
  ended = true;
});

async function isAcknowledged(node, id) {
  try {
    const answer = await fetch(`${node}/${index}/_doc/${id}`, {
      method: "PUT",
      headers: {
        "Content-Type": "application/json",
        ...(LOGIN_FILE && {
          Authorization: `Basic ${readFileSync(LOGIN_FILE).toString("base64")}`,
        }),
      },
      body: JSON.stringify({ "@timestamp": new Date().toISOString(), message: `document ${id}` }),
      signal: AbortSignal.timeout(10_000),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

let acknowledged = 0;
const failed = [];
let turn = 0;
for (let id = 0; !ended; id++) {
  const deadline = Date.now() + PATIENCE_MS;
  let ok = await isAcknowledged(nodes[turn % nodes.length], id);
  while (!ok && Date.now() < deadline) {
    turn++;
    await setTimeout(100);
    ok = await isAcknowledged(nodes[turn % nodes.length], id);
  }
  if (ok) {
    acknowledged++;
  } else {
    failed.push(id);
  }
  await setTimeout(20);
}
console.log(JSON.stringify({ acknowledged, failed }));

// indexer.mjs INDEX PORT...: indexes numbered documents, one after the other, as a client of several nodes does: what a node does not
// acknowledge is sent to the next one. Ends with SIGTERM and prints how many were acknowledged and which were not within 30 s.
import { setTimeout } from "node:timers/promises";

const [index, ...ports] = process.argv.slice(2);
const PATIENCE_MS = 30_000;
let ended = false;
process.once("SIGTERM", () => {
  ended = true;
});

async function isAcknowledged(port, id) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/${index}/_doc/${id}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
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
  let ok = await isAcknowledged(ports[turn % ports.length], id);
  while (!ok && Date.now() < deadline) {
    turn++;
    await setTimeout(100);
    ok = await isAcknowledged(ports[turn % ports.length], id);
  }
  if (ok) {
    acknowledged++;
  } else {
    failed.push(id);
  }
  await setTimeout(20);
}
console.log(JSON.stringify({ acknowledged, failed }));

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Returns all packets between machine b of the lab and the others while the work runs. */
export async function packetsWhile(work: () => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "groundwork-capture-"));
  const file = join(folder, "packets");
  const capture = spawn(join(__dirname, "packet-capture.sh"), [file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(capture, "close");
  let said = "";
  await new Promise<void>((resolve, reject) => {
    capture.stderr.on("data", (chunk) => {
      said += chunk;
      if (said.includes("listening on")) {
        resolve();
      }
    });
    capture.once("close", () => reject(new Error(said)));
  });
  try {
    work();
  } finally {
    capture.kill("SIGINT");
    await ended;
  }
  const packets = readFileSync(file, "latin1");
  rmSync(folder, { recursive: true });
  return packets;
}

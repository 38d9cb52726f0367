import { renameSync, writeFileSync } from "node:fs";

const STARTED_SECONDS = 1000;

/**
 * The clock of a sidecar's deadlines. It stands still until the test lets time pass, so that a deadline is reached exactly where the test
 * says, however slow the machine is.
 */
export class StoppedClock {
  private seconds = STARTED_SECONDS;
  private file?: string;

  /** Writes the time to a file, in the format of /proc/uptime. */
  writeTo(file: string): void {
    this.file = file;
    this.write();
  }

  pass(seconds: number): void {
    this.seconds += seconds;
    this.write();
  }

  private write(): void {
    if (this.file === undefined) {
      throw new Error("no sidecar has this clock");
    }
    // A reader sees the old time or the new one, never a part.
    writeFileSync(`${this.file}.new`, `${this.seconds}.00 0.00\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

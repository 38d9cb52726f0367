import { applyServiceSettings, MEMORY_TIERS } from "../../../constructs";
import { validateMemory } from "../../../constructs/container/memory";
import { laptop } from "../../../environments/laptop";
import { small } from "../../../environments/small";
import { containers, type Json, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

describe("memory", () => {
  test("is this table", () => {
    expect(MEMORY_TIERS).toEqual({
      tool: { limitMiB: 128, reservationMiB: 64 },
      job: { limitMiB: 256, reservationMiB: 128 },
      small: { limitMiB: 512, reservationMiB: 256 },
      medium: { limitMiB: 1024, reservationMiB: 512 },
      broker: { limitMiB: 1536, reservationMiB: 1024 },
      search: { limitMiB: 2048, reservationMiB: 1024 },
    });
  });

  test("of a laptop fits in 8 GiB", () => {
    const { stacks } = synthesize(laptop);
    const total = Object.values(stacks)
      .flatMap((json) => Object.values<Json>(json.resource.docker_container ?? {}))
      .reduce((sum, { memory }) => sum + memory, 0);
    expect(total).toBeLessThanOrEqual(8192);
  });

  test("of the small environment fits in 4 GiB without the sidecars, which end", () => {
    const all = containers(synthesize(small).stacks);
    const running = all.filter(({ must_run }) => must_run);
    const ending = all.filter((body) => !running.includes(body)).map(({ name }) => name);
    const sum = (bodies: Json[], field: string) =>
      bodies.reduce((total, body) => total + body[field], 0);
    expect(ending).toEqual(["os-init", "kafka-init"]);
    expect(sum(running, "memory")).toBe(3968);
    expect(sum(all, "memory_reservation")).toBe(2368);
    expect(small.memoryBudgetMiB).toBe(4096);
  });

  test("gives every JVM a heap of whole mebibytes at any scale", () => {
    const { stacks } = synthesize({ ...laptop, memoryScale: 0.55 });
    const heaps = JSON.stringify(stacks).match(/-Xmx[^m]*m/g);
    expect([...new Set(heaps)].sort()).toEqual(["-Xmx422m", "-Xmx563m"]);
  });

  test("fails with a reservation above the limit", () => {
    expect(() => validateMemory(testStack(), { limitMiB: 512, reservationMiB: 1024 })).toThrow(
      "memoryReservationMiB is 1024 and memoryLimitMiB is 512: the reservation must be above 0 and below the limit; lower the reservation or raise the limit (at test)",
    );
  });

  test("fails with a scale at which services do not start", () => {
    expect(() =>
      applyServiceSettings(testStack(), { environment: "e", stack: "s", memoryScale: 0.1 }),
    ).toThrow("memoryScale is 0.1: it must be from 0.5 to 16");
  });
});

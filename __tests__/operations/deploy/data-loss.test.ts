import { createInterface } from "node:readline/promises";
import { RetentionPolicy, type Topic } from "../../../constructs";
import { laptop } from "../../../environments/laptop";
import { confirmDataLoss, refuseDataLoss } from "../../../operations/deploy/data-loss";
import type { Run } from "../../../operations/run/run";
import {
  applicationLogs,
  BASE,
  catalog,
  infraEvents,
  report,
  synthesis,
  withTopics,
} from "../../support/previews";

jest.mock("node:readline/promises", () => ({ createInterface: jest.fn() }));

const LOSS =
  "topic infra-events: retention.ms unset (604800000) -> 3600000: Kafka deletes records older than 3600000 ms";

/** Returns a planned deploy of these topics. Only the stack with kafka-init may be asked for its plan. */
function planned(...topics: Topic[]): Run {
  const stack = (file: string) => ({
    resources: [{ type: "docker_container", body: { name: "one", upload: [{ file }] } }],
  });
  const messaging = { changes: true, stack: stack("/groundwork/topics.json") };
  return {
    platform: { environment: laptop },
    planned: [{ changes: true, stack: stack("/etc/other") }, messaging],
    report: async (plans: unknown[]) => {
      expect(plans).toEqual([messaging]);
      return report(BASE, withTopics(topics));
    },
  } as unknown as Run;
}

const shorter = planned(
  { ...infraEvents, configs: { ...infraEvents.configs, "retention.ms": 3_600_000 } },
  applicationLogs,
);
const removed = planned(infraEvents);

const { isTTY } = process.stdin;
afterEach(() => {
  process.stdin.isTTY = isTTY;
});

/** Answers the question on a terminal, and returns what was asked. */
function answering(answer: string): { readonly asked: string[] } {
  process.stdin.isTTY = true;
  const asked: string[] = [];
  const question = async (text: string) => {
    asked.push(text);
    return answer;
  };
  jest.mocked(createInterface).mockReturnValue({ question, close: jest.fn() } as never);
  return { asked };
}

test("a deploy that deletes records asks on a terminal, and goes on with the environment's name", async () => {
  const { asked } = answering("laptop");
  await confirmDataLoss(shorter);
  expect(asked).toEqual([
    `This deploy deletes stored records of environment "laptop":\n- ${LOSS}\nThey cannot be restored. Type the environment's name to continue: `,
  ]);
});

test("a deploy with a shorter retention of indices asks too", async () => {
  const keptFor = (days: number) =>
    synthesis(laptop, {
      ...catalog,
      retentionPolicies: RetentionPolicy.fromRetention({ "logs-*": { delete: { days } } }),
    });
  const body = { name: "os-init", upload: [{ file: "/groundwork/retention-policies/logs.json" }] };
  const run = {
    platform: { environment: laptop },
    planned: [{ changes: true, stack: { resources: [{ type: "docker_container", body }] } }],
    report: async (plans: unknown[]) => {
      expect(plans).toHaveLength(1);
      return report(keptFor(30), keptFor(10));
    },
  } as unknown as Run;
  await expect(refuseDataLoss(run)).rejects.toThrow(
    "retention policy logs: OpenSearch deletes an index 10d after its creation, formerly 30d after its creation; deploy this change with npm run up -- --allow-data-loss first, or undo it",
  );
});

test("another answer changes nothing", async () => {
  answering("yes");
  await expect(confirmDataLoss(shorter)).rejects.toThrow(
    'the name is "laptop", not "yes": no changes made',
  );
});

test("without a terminal it is refused, with the flag", async () => {
  process.stdin.isTTY = false;
  await expect(confirmDataLoss(shorter)).rejects.toThrow(
    `no changes made: this deploy deletes stored records, and standard input is not a terminal to ask: undo the change, or run npm run up -- --allow-data-loss\n- ${LOSS}`,
  );
});

test("other changes are not asked about, even destructive ones", async () => {
  process.stdin.isTTY = false;
  await confirmDataLoss(removed);
  await refuseDataLoss(removed);
});

test("a rotation is refused before it replaces a secret", async () => {
  await expect(refuseDataLoss(shorter)).rejects.toThrow(
    `no changes made:\n- ${LOSS}; deploy this change with npm run up -- --allow-data-loss first, or undo it`,
  );
});

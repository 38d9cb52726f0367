import { parse } from "yaml";
import { DataVolume, Loki, Prometheus } from "../../../constructs";
import { unescapeTemplate } from "../../../constructs/container/file";
import type { Environment } from "../../../environments";
import { laptop } from "../../../environments/laptop";
import { validateEnvironment } from "../../../environments/validate";
import { container, envOf, synthesize } from "../../support/platform";
import { testStack } from "../../support/stack";

const { stacks } = synthesize(laptop);

const limits = () =>
  parse(unescapeTemplate(container(stacks, "loki").upload[0].content)).limits_config;

test("Loki keeps logs for 14 days by default, and rejects an invalid number of days", () => {
  expect(envOf(container(stacks, "loki")).LOG_RETENTION).toBe("336h");
  const scope = testStack();
  const props = { network: { name: "n" }, dataVolume: new DataVolume(scope, "v", { name: "v" }) };
  expect(() => new Loki(scope, "loki", { ...props, retentionDays: 0 })).toThrow(
    "retentionDays is 0: Loki keeps logs for a whole number of days, at least 1 (at test/loki)",
  );
  expect(
    () => new Prometheus(scope, "p", { ...props, declared: () => [], retentionDays: 1.5 }),
  ).toThrow(
    "retentionDays is 1.5: Prometheus keeps metrics for a whole number of days, at least 1 (at test/p)",
  );
});

test("an environment says for how long Loki and Prometheus keep data, and how much", () => {
  const commandOf = (environment: Environment) =>
    container(synthesize(environment).stacks, "prometheus").command.filter((word: string) =>
      word.startsWith("--storage.tsdb.retention"),
    );
  const environment: Environment = {
    ...laptop,
    loki: { retentionDays: 7, ingestionGiBPerDay: 10 },
    prometheus: { retentionDays: 30, retentionGiB: 20 },
  };
  expect(envOf(container(synthesize(environment).stacks, "loki"))).toEqual({
    LOG_RETENTION: "168h",
    LOG_INGESTION_RATE: "0.1185",
  });
  expect(commandOf(environment)).toEqual([
    "--storage.tsdb.retention.time=30d",
    "--storage.tsdb.retention.size=20GB",
  ]);
  expect(commandOf(laptop)).toEqual(["--storage.tsdb.retention.time=15d"]);
  const wrong = { ...environment, prometheus: { retentionGiB: 0.5 } };
  expect(() => validateEnvironment("laptop", wrong)).toThrow(
    'environment "laptop": prometheus.retentionGiB is 0.5: it must be a whole number of at least 1',
  );
});

test("Prometheus rejects a size that is no whole number of GiB", () => {
  const scope = testStack();
  const props = { network: { name: "n" }, dataVolume: new DataVolume(scope, "v", { name: "v" }) };
  expect(
    () => new Prometheus(scope, "p", { ...props, declared: () => [], retentionGiB: 0 }),
  ).toThrow("retentionGiB is 0: Prometheus keeps a whole number of GiB, at least 1 (at test/p)");
});

test("Loki takes 32 MiB of logs per second by default, and rejects a size that is no whole number of GiB", () => {
  expect(envOf(container(stacks, "loki")).LOG_INGESTION_RATE).toBe("32.0000");
  expect(limits().ingestion_rate_mb).toMatch(/^\$\{LOG_INGESTION_RATE\}$/);
  const scope = testStack();
  const props = { network: { name: "n" }, dataVolume: new DataVolume(scope, "v", { name: "v" }) };
  expect(() => new Loki(scope, "loki", { ...props, ingestionGiBPerDay: 0.5 })).toThrow(
    "ingestionGiBPerDay is 0.5: Loki takes a whole number of GiB, at least 1 (at test/loki)",
  );
});

test("no client of Loki can delete logs", () => {
  expect(limits().deletion_mode).toBe("disabled");
});

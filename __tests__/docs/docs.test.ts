import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { KAFKA_CLIENT_CONFIG } from "../../constructs/kafka/kafka-client";
import { kafkaAddresses } from "../../constructs/kafka/kafka-cluster";
import type { INetwork } from "../../constructs/network/network";
import { CURL_AS_CHECKS } from "../../constructs/opensearch/tls";
import { production } from "../../environments/production";
import { documentedCommands, PAGES, RUN_IN_LAB, TESTED } from "../support/docs";
import { ROOT } from "../support/root";
import { shippedAlerts } from "../support/shipped-catalog";

const { scripts } = require("../../package.json");

/** Returns the links of a page to other pages, as paths from the project root. */
const linkedBy = (page: string): string[] =>
  PAGES.filter(({ path }) => path === page).flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
      join(dirname(path), link),
    ),
  );

test("the index has every page on a task and no other, and each starts with its title", () => {
  const pages = readdirSync(join(ROOT, "docs", "how-to"), { recursive: true }).map(
    (name) => `docs/how-to/${name}`,
  );
  expect(pages.length).toBeGreaterThan(20);
  const linked = linkedBy("docs/README.md").filter((path) => path.startsWith("docs/how-to/"));
  expect([...new Set(linked)].sort()).toEqual(pages.sort());
  const untitled = PAGES.filter(({ path, text }) => pages.includes(path) && !/^# \S/.test(text));
  expect(untitled.map(({ path }) => path)).toEqual([]);
});

test("the index links to every page except runbooks, and the page on failures links to every runbook of a shipped alert", () => {
  const paths = PAGES.map(({ path }) => path).filter((path) => path !== "docs/README.md");
  const isRunbook = (path: string) => path.startsWith("docs/runbooks/");
  const missing = (page: string, wanted: readonly string[]) =>
    wanted.filter((path) => !linkedBy(page).includes(path));
  expect(paths.filter(isRunbook).length).toBeGreaterThan(10);
  expect(
    missing(
      "docs/README.md",
      paths.filter((path) => !isRunbook(path)),
    ),
  ).toEqual([]);
  // Those of a clone's own alerts are linked by the alerts alone.
  const shipped = [
    ...shippedAlerts.map(({ annotations }) => annotations.runbook),
    "docs/runbooks/ClientCertificateExpiring.md",
    "docs/runbooks/DriftRunMissing.md",
  ];
  expect(missing("docs/when-something-fails.md", shipped)).toEqual([]);
});

/** Returns the anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.each(PAGES)("every anchor that $path links to is a heading", ({ path, text }) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)];
  const broken = links.filter(([, file, anchor]) => {
    const page = file === "" ? path : join(dirname(path), file);
    return !anchorsOf(page).includes(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test.each(PAGES)("every link and every command of $path leads somewhere", ({ path, text }) => {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
    ([, link]) => link,
  );
  expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
  const commands = [...text.matchAll(/(?:npm run|npx groundwork) ([a-z][a-z0-9:-]*)/g)].map(
    ([, name]) => name,
  );
  expect(commands.filter((name) => !(name in scripts))).toEqual([]);
});

test("every container that a page names exists in the platform", () => {
  const known =
    /^(kafka|opensearch)-(\d|init)$|^(os-init|os-backup|engine-proxy|exit-relay|alloy|grafana|loki|loki-proxy|prometheus)$/;
  const named = PAGES.flatMap(({ text }) =>
    [
      ...text.matchAll(/docker (?:logs|exec|start|restart)((?: --\S+(?: \d+)?)*) ([a-z][\w-]*)/g),
    ].map(([, , name]) => name),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !known.test(name))).toEqual([]);
});

test("a test runs every command of the pages, except commands that are marked as needing a real host", () => {
  const commands = documentedCommands();
  expect(commands.length).toBeGreaterThan(70);
  const untested = commands.filter(
    ({ command, realHost }) => !realHost && !RUN_IN_LAB.test(command) && !(command in TESTED),
  );
  expect(untested.map(({ page, command }) => `${page}: ${command}`)).toEqual([]);
});

test.each(Object.entries(TESTED))("%s is run where it is said to be", (_, [file, call]) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toContain(call);
});

test("the commands on the page about the administrator have the addresses and files of a secured node", () => {
  const page = readFileSync(join(ROOT, "docs", "how-to", "administrator.md"), "utf8");
  const { internal } = kafkaAddresses("kafka-1", production.networks.infra as INetwork, true);
  const [cacert, caBundle] = CURL_AS_CHECKS;
  expect(page).toContain(
    `--bootstrap-server ${internal} \\\n  --command-config ${KAFKA_CLIENT_CONFIG} `,
  );
  expect(page).toContain(`${cacert} ${caBundle} --cert `);
});

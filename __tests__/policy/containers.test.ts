import { environments } from "../../environments";
import { containers, envOf, type Json, resources, synthesize } from "../support/platform";

describe.each(Object.values(environments))(
  "every container of environment $name",
  (environment) => {
    const { stacks } = synthesize(environment);
    const all = containers(stacks);
    const services = all.filter((body) => body.must_run);
    const sidecars = all.filter((body) => !body.must_run);
    const nodes = environment.openSearch.nodes + environment.kafka.brokers;
    const observability = ["alloy", "exit-relay", "grafana", "loki", "prometheus"].filter(
      (name) => !environment.without?.some((missing) => missing === name),
    );

    /** Names of the containers for which a rule does not hold: a failure shows whom it is about. */
    const violators = (of: Json[], holds: (body: Json) => boolean) =>
      of.filter((body) => !holds(body)).map((body) => body.name);

    test("is a node of a cluster, a part of observability or an init sidecar", () => {
      const names = services.map(({ name }) => name);
      expect(names.filter((name) => /^(kafka|opensearch)-\d$/.test(name))).toHaveLength(nodes);
      expect(names.filter((name) => !/-\d$/.test(name)).sort()).toEqual(observability);
      expect(sidecars.map(({ name }) => name).sort()).toEqual(["kafka-init", "os-init"]);
    });

    test("reserves memory, below its limit", () => {
      expect(
        violators(
          all,
          (body) => body.memory_reservation > 0 && body.memory_reservation < body.memory,
        ),
      ).toEqual([]);
    });

    test("keeps its JVM heap within the reservation", () => {
      const heaps = services.flatMap((body) => {
        const env = envOf(body);
        const options = env.KAFKA_HEAP_OPTS ?? env.OPENSEARCH_JAVA_OPTS;
        return options ? [{ body, heap: Number(/-Xmx(\d+)m/.exec(options)?.[1]) }] : [];
      });
      expect(heaps).toHaveLength(nodes);
      expect(
        heaps
          .filter(({ body, heap }) => !(heap <= body.memory_reservation))
          .map((h) => h.body.name),
      ).toEqual([]);
    });

    test("has no swap beyond its memory", () => {
      expect(violators(all, (body) => body.memory_swap === body.memory)).toEqual([]);
    });

    test("cannot gain privileges", () => {
      expect(
        violators(all, (body) => body.security_opts.includes("no-new-privileges:true")),
      ).toEqual([]);
    });

    test("drops all capabilities and adds none", () => {
      expect(
        violators(
          all,
          ({ capabilities }) =>
            capabilities.drop.join() === "ALL" && capabilities.add === undefined,
        ),
      ).toEqual([]);
    });

    test("rotates its log", () => {
      expect(
        violators(
          all,
          ({ log_driver, log_opts }) =>
            log_driver === "json-file" &&
            log_opts["max-size"] === "10m" &&
            log_opts["max-file"] === "3",
        ),
      ).toEqual([]);
    });

    test("runs an image with a pinned tag", () => {
      const images = resources(stacks, "docker_image").map(({ name }) => name);
      expect(images).toHaveLength(2 + observability.length);
      expect(images.filter((name) => !/:v?\d+\.\d+\.\d+(-cli)?$/.test(name))).toEqual([]);
      expect(violators(all, ({ image }) => image.startsWith("${docker_image."))).toEqual([]);
    });

    test("publishes nothing beyond 127.0.0.1", () => {
      expect(
        violators(all, ({ ports = [] }) => ports.every(({ ip }: Json) => ip === "127.0.0.1")),
      ).toEqual([]);
    });

    test("has a unique host port", () => {
      const ports = all.flatMap(({ ports = [] }) => ports.map(({ external }: Json) => external));
      expect(new Set(ports).size).toBe(ports.length);
      const grafana = observability.includes("grafana") ? 1 : 0;
      expect(ports).toHaveLength(environment.hostPorts ? nodes + grafana : 0);
    });

    test("has a health check that the deploy waits for, when it is a service", () => {
      expect(
        violators(services, (body) => body.healthcheck.test.length > 1 && body.wait === true),
      ).toEqual([]);
    });

    test("reads paths of the host only where it has to, and writes none", () => {
      const mounts = (body: Json) => body.volumes.filter(({ host_path }: Json) => host_path);
      const readers = all.filter((body) => mounts(body).length > 0);
      expect(readers.map(({ name }) => name).sort()).toEqual(
        observability.filter((name) => ["alloy", "exit-relay"].includes(name)),
      );
      expect(
        violators(readers, (body) =>
          mounts(body).every(({ read_only }: Json) => read_only === true),
        ),
      ).toEqual([]);
    });

    test("publishes no port and mounts no volume, when it is a sidecar", () => {
      expect(
        violators(sidecars, ({ ports, volumes }) => ports.length === 0 && volumes.length === 0),
      ).toEqual([]);
    });

    test("runs once and gates the deploy on its exit code, when it is a sidecar", () => {
      for (const body of sidecars) {
        expect(body).toMatchObject({
          must_run: false,
          attach: true,
          logs: true,
          restart: "no",
          rm: false,
          user: "65534:65534",
        });
        expect(body.provisioner).toEqual([
          {
            "local-exec": { command: `docker logs --tail 20 ${body.name}`, on_failure: "continue" },
          },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
          { "local-exec": { command: "exit ${self.exit_code}" } },
        ]);
      }
    });

    test("joins named networks and not the default bridge", () => {
      expect(
        violators(
          all,
          (body) =>
            body.network_mode === "bridge" &&
            body.networks_advanced.length > 0 &&
            body.networks_advanced.every(({ name }: Json) =>
              [environment.networks.infra.name, environment.networks.project.name].includes(name),
            ),
        ),
      ).toEqual([]);
    });

    test("says what it belongs to in its labels", () => {
      const keys = ["environment", "stack", "service", "role"].map((key) => `groundwork.${key}`);
      expect(
        violators(all, ({ labels }) =>
          keys.every((key) =>
            labels.some(({ label, value }: Json) => label === key && value !== ""),
          ),
        ),
      ).toEqual([]);
    });

    test("leaves no expression of Terraform in a file", () => {
      const uploads = all.flatMap(({ name, upload = [] }) =>
        upload.map(({ file, content }: Json) => ({ name, file, content })),
      );
      expect(uploads.length).toBeGreaterThan(nodes);
      expect(
        uploads.filter(({ content }) => /(?<!\$)(\$\$)*\$\{|(?<!%)(%%)*%\{/.test(content)),
      ).toEqual([]);
    });
  },
);

describe.each(Object.values(environments))("every stack of environment $name", (environment) => {
  const { stacks } = synthesize(environment);

  test("keeps its state in a relative path of its own", () => {
    const paths = Object.values(stacks).map((stack) => stack.terraform.backend.local.path);
    const alerting = environment.without?.includes("grafana") ? [] : ["alerting"];
    expect(paths).toEqual(
      ["network", "storage", "data", "messaging", "observability", ...alerting].map(
        (layer) => `../../../.state/${environment.name}/${layer}.tfstate`,
      ),
    );
  });

  test("asks for a provider that knows memory_reservation, and for no other than it needs", () => {
    const providers = Object.values(stacks).map(({ terraform }) => terraform.required_providers);
    const docker = { docker: { source: "kreuzwerker/docker", version: "4.5.0" } };
    const grafana = { grafana: { source: "grafana/grafana", version: "~> 4.0" } };
    const alerting = environment.without?.includes("grafana") ? [] : [grafana];
    expect(providers).toEqual([docker, docker, docker, docker, docker, ...alerting]);
  });

  test("refuses to destroy a data volume, and keeps all volumes apart from the containers", () => {
    const volumes = resources(stacks, "docker_volume");
    expect(volumes).toHaveLength(environment.openSearch.nodes + environment.kafka.brokers + 4);
    expect(volumes.filter(({ lifecycle }) => lifecycle?.prevent_destroy !== true)).toEqual([]);
    expect(Object.keys(stacks[`${environment.name}-storage`].resource)).toEqual(["docker_volume"]);
  });
});

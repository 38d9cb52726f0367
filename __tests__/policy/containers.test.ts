import { nodeOfCertificates } from "../../constructs/security/node-certificates";
import { knownEnvironments } from "../../operations/synthesis/environment";
import { machineOf, machinesOf, nameOn } from "../../stacks/placement";
import {
  container,
  containers,
  envOf,
  type Json,
  resources,
  synthesize,
} from "../support/platform";

describe.each(Object.values(knownEnvironments))(
  "every container of environment $name",
  (environment) => {
    const { stacks } = synthesize(environment);
    const all = containers(stacks);
    const services = all.filter((body) => body.must_run);
    const jobs = all.filter((body) => !body.must_run);
    const sidecars = jobs.filter(({ name }) => nodeOfCertificates(name) === undefined);
    const copies = jobs.filter((body) => !sidecars.includes(body));
    const nodes = environment.openSearch.nodes + environment.kafka.brokers;
    const machines = machinesOf(environment);
    const isThere = (name: string) =>
      !environment.excludedServices?.some((missing) => missing === name);
    /** Observability containers of the environment, one per machine. */
    const everywhere = (...services: string[]) =>
      services
        .filter(isThere)
        .flatMap((service) => machines.map((machine) => nameOn(service, machine)))
        .sort();
    const proxies = environment.security === "tls" ? everywhere("engine-proxy") : [];
    const lokiProxies = environment.security === "tls" && isThere("loki") ? ["loki-proxy"] : [];
    /** The containers that use the engine. */
    const watchers = everywhere("alloy", "exit-relay");
    const observability = [
      ...proxies,
      ...lokiProxies,
      ...watchers,
      ...["grafana", "loki", "prometheus"].filter(isThere),
    ].sort();

    const mounts = (body: Json): Json[] => body.volumes.filter(({ host_path }: Json) => host_path);

    /** Returns the names of containers that break a rule, which a failure then shows. */
    const violators = (of: Json[], holds: (body: Json) => boolean) =>
      of.filter((body) => !holds(body)).map((body) => body.name);

    test("is a node of a cluster, a part of observability, an init sidecar or the job with the certificates of a node", () => {
      const names = services.map(({ name }) => name);
      const ofClusters = names.filter((name) => /^(kafka|opensearch)-\d$/.test(name));
      expect(ofClusters).toHaveLength(nodes);
      expect(copies.map(({ name }) => name).sort()).toEqual(
        environment.security === "tls"
          ? ofClusters.map((name) => `${name}-certificates`).sort()
          : [],
      );
      expect(names.filter((name) => !/-\d$/.test(name)).sort()).toEqual(observability);
      expect(sidecars.map(({ name }) => name).sort()).toEqual([
        ...["kafka-init", "os-init"],
        ...(environment.security === "tls" ? ["os-security"] : []),
      ]);
    });

    test("has large content in a few lines, since Terraform takes time quadratic in their number", () => {
      const large = all
        .flatMap((body) => (body.upload ?? []) as Json[])
        .filter(({ file }) => /\/(dashboards|index-templates)\/.*\.json$/.test(file));
      expect(large.map(({ file }) => file)).toContain(
        "/groundwork/index-templates/logs_template.json",
      );
      const counts = large.map(({ file, content }) => [file, content.split("\n").length]);
      expect(counts.filter(([, lines]) => lines > 12)).toEqual([]);
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

    test("drops all capabilities and adds none, except those that the engine proxy and Alloy need to become a user of their own", () => {
      expect(violators(all, ({ capabilities }) => capabilities.drop.join() === "ALL")).toEqual([]);
      const added = Object.fromEntries(
        all
          .filter(({ capabilities }) => capabilities.add)
          .map(({ name, capabilities }) => [name, capabilities.add]),
      );
      expect(added).toEqual(
        Object.fromEntries([
          ...proxies.map((name) => [name, ["CAP_SETGID", "CAP_SETUID"]]),
          ...everywhere("alloy").map((name) => [name, ["CAP_CHOWN", "CAP_SETGID", "CAP_SETUID"]]),
        ]),
      );
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
      // Once a stack: with several machines, sidecars have one of their own.
      const ofNodes = environment.machines ? nodes + 2 : 2;
      // HAProxy's is both proxies'.
      expect(images).toHaveLength(ofNodes + observability.length - lokiProxies.length);
      expect(images.filter((name) => !/:v?\d+\.\d+\.\d+(-cli|-alpine)?$/.test(name))).toEqual([]);
      expect(violators(all, ({ image }) => image.startsWith("${docker_image."))).toEqual([]);
    });

    test("publishes ports only on 127.0.0.1", () => {
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

    test("has a health check that the deploy waits for, if it is a service", () => {
      expect(
        violators(services, (body) => body.healthcheck.test.length > 1 && body.wait === true),
      ).toEqual([]);
    });

    test("mounts host paths only if necessary, and read-only", () => {
      const readers = all.filter((body) => mounts(body).length > 0);
      expect(readers.map(({ name }) => name).sort()).toEqual(
        proxies.length > 0 ? [...everywhere("alloy"), ...proxies].sort() : watchers,
      );
      expect(
        violators(readers, (body) =>
          mounts(body).every(({ read_only }: Json) => read_only === true),
        ),
      ).toEqual([]);
    });

    test("disables SELinux labels exactly if it mounts host paths", () => {
      const holders = all.filter((body) => body.security_opts.includes("label=disable"));
      expect(holders.map(({ name }) => name).sort()).toEqual(
        all
          .filter((body) => mounts(body).some(({ host_path }: Json) => host_path))
          .map(({ name }) => name)
          .sort(),
      );
    });

    const SOCKET = {
      container_path: "/run/docker.sock",
      host_path: "/var/run/docker.sock",
      read_only: true,
    };

    test("mounts the engine's socket only if it asks the engine or is the engine proxy", () => {
      const holders = all.filter(({ volumes }) => JSON.stringify(volumes).includes("docker.sock"));
      expect(holders.map(({ name }) => name).sort()).toEqual(
        proxies.length > 0 ? proxies : watchers,
      );
      for (const { volumes } of holders) {
        expect(volumes).toContainEqual(SOCKET);
      }
    });

    test("sees of the host only what Alloy measures, besides the engine's socket", () => {
      const seen = all.flatMap(({ name, volumes }) =>
        volumes
          .filter(({ host_path }: Json) => host_path && host_path !== SOCKET.host_path)
          .map((mount: Json) => [name, mount.host_path, mount.container_path, mount.read_only]),
      );
      expect(seen).toEqual(
        everywhere("alloy").flatMap((name) => [
          [name, "/proc", "/host/proc", true],
          [name, "/etc/hosts", "/host/root", true],
          [name, "/sys", "/sys", true],
        ]),
      );
    });

    test("has no mount below a directory that is a symlink in images, where engines refuse to upload files", () => {
      const linked = /^\/(var\/(run|lock)|bin|lib|lib64|sbin)(\/|$)/;
      const below = ({ volumes, tmpfs = {} }: Json) =>
        [...volumes.map((mount: Json) => mount.container_path), ...Object.keys(tmpfs)].filter(
          (path) => linked.test(path),
        );
      expect(all.flatMap(below)).toEqual([]);
    });

    test("has no mount inside another one, where engines refuse to upload files", () => {
      // Except a tmpfs: for an upload, the engine mounts only volumes and host paths.
      const nested = ({ name, volumes }: Json) => {
        const paths: string[] = volumes.map((mount: Json) => mount.container_path);
        return paths
          .filter((path) => paths.some((other) => path.startsWith(`${other}/`)))
          .map((path) => `${name}: ${path}`);
      };
      expect(all.flatMap(nested)).toEqual([]);
    });

    test("has no file below a mount, which would hide it", () => {
      const hidden = ({ name, volumes, tmpfs = {}, upload = [] }: Json) => {
        const mounts = [
          ...volumes.map((mount: Json) => mount.container_path),
          ...Object.keys(tmpfs),
        ];
        return upload
          .filter(({ file }: Json) => mounts.some((mount) => file.startsWith(`${mount}/`)))
          .map(({ file }: Json) => `${name}: ${file}`);
      };
      expect(all.flatMap(hidden)).toEqual([]);
    });

    if (proxies.length > 0) {
      test("has no mount besides the engine's socket and no other network, if it is the engine proxy", () => {
        const { volumes, networks_advanced, tmpfs } = container(stacks, proxies[0]);
        expect(volumes).toEqual([SOCKET]);
        expect(networks_advanced).toEqual([{ name: "engine_net" }]);
        expect(tmpfs).toBeUndefined();
      });

      test("reaches the engine proxy only if it needs data of the engine", () => {
        const readers = all.filter(({ networks_advanced }) =>
          networks_advanced.some(({ name }: Json) => name === "engine_net"),
        );
        expect(readers.map(({ name }) => name).sort()).toEqual([...watchers, ...proxies].sort());
        const [network] = resources(stacks, "docker_network").filter(
          ({ name }) => name === "engine_net",
        );
        expect(network).toMatchObject({
          internal: true,
          // Otherwise every user of the host and every container on its network could reach the proxy.
          options: { "com.docker.network.bridge.inhibit_ipv4": "true" },
        });
      });
    }

    test("publishes no port and mounts no volume, if it is a sidecar", () => {
      expect(
        violators(sidecars, ({ ports, volumes }) => ports.length === 0 && volumes.length === 0),
      ).toEqual([]);
    });

    test("mounts nothing but its volume and reaches no network, if it copies certificates", () => {
      expect(
        violators(
          copies,
          ({ name, ports, volumes, networks_advanced, network_mode }) =>
            ports.length === 0 &&
            volumes.length === 1 &&
            volumes[0].volume_name === name &&
            network_mode === "none" &&
            networks_advanced.length === 0,
        ),
      ).toEqual([]);
    });

    test("runs once and fails the deploy on its exit code, if it is a job", () => {
      for (const body of jobs) {
        expect(body).toMatchObject({
          must_run: false,
          attach: true,
          logs: true,
          restart: "no",
          rm: false,
          // Root owns a new volume.
          user: copies.includes(body) ? "0:1000" : "65534:65534",
        });
        // The log is on the container's machine.
        const DOCKER_HOST = machineOf(environment, body.name)?.engine;
        expect(body.provisioner).toEqual([
          {
            "local-exec": {
              command: `docker logs --tail 20 ${body.name}`,
              ...(DOCKER_HOST && { environment: { DOCKER_HOST } }),
              on_failure: "continue",
            },
          },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own reference
          { "local-exec": { command: "exit ${self.exit_code}" } },
        ]);
      }
    });

    test("joins named networks and not the default bridge", () => {
      expect(
        violators(
          all.filter((body) => !copies.includes(body)),
          (body) =>
            body.network_mode === "bridge" &&
            body.networks_advanced.length > 0 &&
            body.networks_advanced.every(({ name }: Json) =>
              [
                environment.networks.infra.name,
                environment.networks.project.name,
                ...(proxies.length > 0 ? ["engine_net"] : []),
                ...(lokiProxies.length > 0 ? ["loki_net"] : []),
                ...(environment.machines && (body.ports ?? []).length > 0 ? ["host_net"] : []),
              ].includes(name),
            ),
        ),
      ).toEqual([]);
    });

    test("has labels that say what it belongs to", () => {
      const keys = ["environment", "stack", "service", "role"].map((key) => `groundwork.${key}`);
      expect(
        violators(all, ({ labels }) =>
          keys.every((key) =>
            labels.some(({ label, value }: Json) => label === key && value !== ""),
          ),
        ),
      ).toEqual([]);
    });

    test("has no Terraform expression in a file", () => {
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

describe.each(Object.values(knownEnvironments))(
  "every stack of environment $name",
  (environment) => {
    const { stacks } = synthesize(environment);
    const LAYERS = ["network", "storage", "data", "messaging", "observability"];
    const places = [
      ...LAYERS,
      ...LAYERS.flatMap((layer) =>
        (environment.machines ?? []).map(({ name }) => `${layer}-${name}`),
      ),
      ...(environment.excludedServices?.includes("grafana") ? [] : ["alerting"]),
    ];

    test("keeps its state in its own relative path", () => {
      const paths = Object.values(stacks).map((stack) => stack.terraform.backend.local.path);
      expect(paths.sort()).toEqual(
        places.map((place) => `../../../.state/${environment.name}/${place}.tfstate`).sort(),
      );
    });

    test("requires a provider version with memory_reservation, and no unused providers", () => {
      for (const place of places) {
        expect([
          place,
          stacks[`${environment.name}-${place}`].terraform.required_providers,
        ]).toEqual([
          place,
          place === "alerting"
            ? { grafana: { source: "grafana/grafana", version: "~> 4.0" } }
            : { docker: { source: "kreuzwerker/docker", version: "4.5.0" } },
        ]);
      }
    });

    test("uses the engine of its machine", () => {
      for (const { name, engine } of environment.machines ?? []) {
        for (const layer of LAYERS) {
          expect(stacks[`${environment.name}-${layer}-${name}`].provider.docker).toEqual([
            { host: engine },
          ]);
        }
      }
    });

    test("refuses to destroy a data volume, and keeps all of them apart from the containers", () => {
      const volumes = resources(stacks, "docker_volume").filter(
        ({ name }) => nodeOfCertificates(name) === undefined,
      );
      const nodes = environment.openSearch.nodes + environment.kafka.brokers;
      expect(volumes).toHaveLength(nodes + 3 + machinesOf(environment).length);
      expect(volumes.filter(({ lifecycle }) => lifecycle?.prevent_destroy !== true)).toEqual([]);
      for (const place of places.filter((name) => /^storage/.test(name))) {
        const { resource = {} } = stacks[`${environment.name}-${place}`];
        expect(Object.keys(resource).filter((type) => type !== "docker_volume")).toEqual([]);
      }
    });
  },
);

import type { Construct } from "constructs";
import {
  type AlertGroup,
  Alloy,
  type DashboardProvider,
  declaredMetrics,
  EngineProxy,
  ExitRelay,
  Grafana,
  Loki,
  lokiDataSource,
  Prometheus,
  prometheusDataSource,
  ServiceContainer,
} from "../constructs";
import { BACKUP_PRINCIPAL } from "../constructs/opensearch/backup";
import type { Environment, ObservabilityService } from "../environments";
import type { DataStack } from "./data-stack";
import { grafanaAdminPassword } from "./grafana-admin-password";
import type { MessagingStack } from "./messaging-stack";
import type { NetworkStack } from "./network-stack";
import { machineOf, machinesOf, nameOn } from "./placement";
import { DockerStack } from "./platform-stack";
import { oidcClientSecretOf, securityOf } from "./security";
import type { StorageStack } from "./storage-stack";

export interface ObservabilityStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly data: DataStack;
  readonly messaging: MessagingStack;
  readonly dashboards: DashboardProvider;
  readonly alertGroups: readonly AlertGroup[];
}

/** Observability of the platform: metrics, logs, exit codes and dashboards. */
export class ObservabilityStack extends DockerStack {
  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    props: ObservabilityStackProps,
  ) {
    super(scope, layer, environment);
    const { network, storage, data, messaging } = props;
    this.after(network, storage);
    const has = (service: ObservabilityService) => !environment.excludedServices?.includes(service);
    const { grafana, loki, prometheus } = storage.observability;
    const security = securityOf(environment);
    const stackOf = (container: string) => this.of(container).after(network, storage.of(container));

    const telemetry = machinesOf(environment).map((machine, i) => {
      const name = (service: string) => nameOn(service, machine);
      const stack = stackOf(name("exit-relay")).after(network.on(machine));
      const engine = security
        ? new EngineProxy(stack, "engine-proxy", {
            name: name("engine-proxy"),
            network: network.engines[i],
          })
        : undefined;
      const exitRelay = new ExitRelay(stack, "exit-relay", {
        name: name("exit-relay"),
        engine,
        network: network.infra,
        projectNetwork: network.project,
      });
      // Only one Alloy collects cluster metrics: the one on the machine of Prometheus.
      const clusters =
        machine === machineOf(environment, "prometheus")
          ? { kafka: messaging.cluster, openSearch: data.cluster }
          : undefined;
      const dataVolume = storage.alloy[i];
      const backup = machine === machineOf(environment, BACKUP_PRINCIPAL) ? data.backup : undefined;
      return { name: name("alloy"), stack, engine, exitRelay, dataVolume, clusters, backup };
    });
    const metrics = new Prometheus(stackOf("prometheus"), "prometheus", {
      network: network.infra,
      dataVolume: prometheus,
      ...environment.prometheus,
      security,
      recordingGroups: props.alertGroups.flatMap(({ name, interval, recordingRules: rules }) =>
        rules ? { name, interval, rules } : [],
      ),
      declared: () =>
        declaredMetrics({
          openSearch: data.cluster,
          kafka: messaging.cluster,
          kafkaInit: messaging.init,
          backup: data.backup,
          driftEveryHours: environment.drift?.everyHours,
          containers: ServiceContainer.allIn(this),
          probedServices: alloys.flatMap(({ probedServices }) => probedServices),
          machines: environment.machines?.map((machine) => machine.name),
        }),
    });
    const logs = has("loki")
      ? new Loki(stackOf("loki"), "loki", {
          network: network.infra,
          dataVolume: loki,
          ...environment.loki,
          security,
        })
      : undefined;
    const alloys: readonly Alloy[] =
      logs && has("alloy")
        ? telemetry.map(
            ({ stack, ...machine }) =>
              new Alloy(stack, "alloy", {
                ...machine,
                infraNetwork: network.infra,
                projectNetwork: network.project,
                loki: logs,
                prometheus: metrics,
                security,
              }),
          )
        : [];
    if (has("grafana")) {
      const { image, rootUrl, oidc, smtp } = environment.grafana;
      new Grafana(stackOf("grafana"), "grafana", {
        network: network.infra,
        dataVolume: grafana,
        dataSources: [prometheusDataSource(metrics), ...(logs ? [lokiDataSource(logs)] : [])],
        dashboards: props.dashboards,
        image,
        adminPasswordFile: grafanaAdminPassword(this, environment).file,
        hostPort: environment.hostPorts?.grafana,
        hostNetwork: network.hostOf("grafana"),
        rootUrl,
        oidc: oidc && { ...oidc, clientSecretFile: oidcClientSecretOf(environment) },
        smtp,
        security,
      });
    }
  }
}

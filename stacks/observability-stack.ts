import type { Construct } from "constructs";
import {
  Alloy,
  type DashboardProvider,
  declaredMetrics,
  ExitRelay,
  Grafana,
  Loki,
  lokiDataSource,
  Prometheus,
  prometheusDataSource,
  ServiceContainer,
} from "../constructs";
import type { Environment, ObservabilityService } from "../environments";
import type { DataStack } from "./data-stack";
import { grafanaAdminPassword } from "./grafana-admin-password";
import type { MessagingStack } from "./messaging-stack";
import type { NetworkStack } from "./network-stack";
import { DockerStack } from "./platform-stack";
import type { StorageStack } from "./storage-stack";

export interface ObservabilityStackProps {
  readonly network: NetworkStack;
  readonly storage: StorageStack;
  readonly data: DataStack;
  readonly messaging: MessagingStack;
  readonly dashboards: DashboardProvider;
}

/** What shows the platform: metrics, logs, exit codes and the dashboards over them. */
export class ObservabilityStack extends DockerStack {
  constructor(
    scope: Construct,
    layer: string,
    environment: Environment,
    props: ObservabilityStackProps,
  ) {
    super(scope, layer, environment);
    const { network, storage, data, messaging } = props;
    this.addDependency(network);
    this.addDependency(storage);
    const has = (service: ObservabilityService) => !environment.without?.includes(service);
    const { alloy, grafana, loki, prometheus } = storage.observability;

    new ExitRelay(this, "exit-relay", { network: network.infra });
    const metrics = new Prometheus(this, "prometheus", {
      network: network.infra,
      dataVolume: prometheus,
      declared: () =>
        declaredMetrics({
          openSearch: data.cluster,
          kafka: messaging.cluster,
          kafkaInit: messaging.init,
          containers: ServiceContainer.allIn(this),
        }),
    });
    const logs = has("loki")
      ? new Loki(this, "loki", { network: network.infra, dataVolume: loki })
      : undefined;
    if (logs && has("alloy")) {
      new Alloy(this, "alloy", {
        infraNetwork: network.infra,
        projectNetwork: network.project,
        dataVolume: alloy,
        loki: logs,
        prometheus: metrics,
        kafka: messaging.cluster,
        openSearch: data.cluster,
      });
    }
    if (has("grafana")) {
      new Grafana(this, "grafana", {
        network: network.infra,
        dataVolume: grafana,
        dataSources: [prometheusDataSource(metrics), ...(logs ? [lokiDataSource(logs)] : [])],
        dashboards: props.dashboards,
        adminPassword: grafanaAdminPassword(this, environment),
        hostPort: environment.hostPorts?.grafana,
        smtp: environment.grafana.smtp,
      });
    }
  }
}

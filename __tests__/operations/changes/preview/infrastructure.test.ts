import { laptop } from "../../../../environments/laptop";
import {
  EXIT_CHANGES,
  EXIT_DESTRUCTIVE,
  EXIT_NO_CHANGE,
} from "../../../../operations/changes/report";
import { BASE, edited, idOf, renameId, synthesis, testPreviews } from "../../../support/previews";

testPreviews([
  ["nothing", EXIT_NO_CHANGE, () => [BASE, synthesis()]],
  [
    "host ports taken away",
    EXIT_DESTRUCTIVE,
    () => [BASE, synthesis({ ...laptop, hostPorts: undefined })],
  ],
  [
    "a network renamed",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      synthesis({ ...laptop, networks: { ...laptop.networks, project: { name: "team_net" } } }),
    ],
  ],
  [
    "a network that is someone else's from now on",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      synthesis({
        ...laptop,
        networks: { ...laptop.networks, project: { name: "project_net", adopt: true } },
      }),
    ],
  ],
  [
    "a volume with another id in the code",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      edited(({ "laptop-storage": { resource } }) => {
        const id = idOf(resource.docker_volume, "kafka-1-data");
        renameId(resource.docker_volume, id, "broker-1");
      }),
    ],
  ],
  [
    "a volume with another id in the code and a moved block",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-storage": stack }) => {
        const id = idOf(stack.resource.docker_volume, "kafka-1-data");
        renameId(stack.resource.docker_volume, id, "broker-1");
        stack.moved = [{ from: `docker_volume.${id}`, to: "docker_volume.broker-1" }];
      }),
    ],
  ],
  [
    "a volume that may be destroyed from now on",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-storage": { resource } }) => {
        const { [idOf(resource.docker_volume, "kafka-1-data")]: volume } = resource.docker_volume;
        volume.lifecycle.prevent_destroy = false;
      }),
    ],
  ],
  [
    "a volume with another rule of its lifecycle",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-storage": { resource } }) => {
        const { [idOf(resource.docker_volume, "kafka-1-data")]: volume } = resource.docker_volume;
        volume.lifecycle.create_before_destroy = true;
      }),
    ],
  ],
  [
    "another version of the provider",
    EXIT_CHANGES,
    () => [
      BASE,
      edited(({ "laptop-network": { terraform } }) => {
        terraform.required_providers.docker.version = "4.6.0";
      }),
    ],
  ],
  [
    "another place of the state",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      edited(({ "laptop-network": { terraform } }) => {
        terraform.backend.local.path = "elsewhere.tfstate";
      }),
    ],
  ],
  [
    "a shared state in place of the local one",
    EXIT_DESTRUCTIVE,
    () => [
      BASE,
      edited(({ "laptop-network": { terraform } }) => {
        terraform.backend = { pg: {} };
      }),
    ],
  ],
  ["an environment that is new", EXIT_CHANGES, () => [new Map(), BASE]],
]);

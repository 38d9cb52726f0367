import type { StateBackend } from "../../environments";
import { laptop } from "../../environments/laptop";
import { synthesize } from "../support/platform";

const backendOf = (state: StateBackend) =>
  Object.values(synthesize({ ...laptop, state }).stacks).map(({ terraform }) => terraform.backend);

describe("the state of every stack is stored", () => {
  test.each<[string, StateBackend, object]>([
    [
      "on this machine",
      { kind: "local" },
      { local: { path: "../../../.state/laptop/network.tfstate" } },
    ],
    [
      "in Amazon's S3, locked by a file",
      { kind: "s3", bucket: "team", region: "eu-central-1" },
      {
        s3: {
          bucket: "team",
          region: "eu-central-1",
          key: "groundwork/laptop/network.tfstate",
          encrypt: true,
          use_lockfile: true,
        },
      },
    ],
    [
      "in another S3 API",
      { kind: "s3", bucket: "team", endpoint: "https://minio.example.org" },
      {
        s3: {
          bucket: "team",
          region: "us-east-1",
          key: "groundwork/laptop/network.tfstate",
          encrypt: true,
          use_lockfile: true,
          endpoints: { s3: "https://minio.example.org" },
          use_path_style: true,
          skip_credentials_validation: true,
          skip_metadata_api_check: true,
          skip_region_validation: true,
          skip_requesting_account_id: true,
          skip_s3_checksum: true,
        },
      },
    ],
    [
      "in an HTTP backend, with a lock",
      { kind: "http", address: "https://gitlab.example.org/state" },
      {
        http: {
          address: "https://gitlab.example.org/state/laptop-network",
          lock_address: "https://gitlab.example.org/state/laptop-network/lock",
          lock_method: "POST",
          unlock_address: "https://gitlab.example.org/state/laptop-network/lock",
          unlock_method: "DELETE",
        },
      },
    ],
    [
      "in PostgreSQL, with PG_CONN_STR",
      { kind: "pg" },
      { pg: { schema_name: "groundwork_laptop_network" } },
    ],
    [
      "in Google Cloud Storage",
      { kind: "gcs", bucket: "team" },
      { gcs: { bucket: "team", prefix: "groundwork/laptop/network" } },
    ],
    [
      "in HCP Terraform",
      { kind: "remote", organization: "team" },
      {
        remote: {
          hostname: "app.terraform.io",
          organization: "team",
          workspaces: { name: "groundwork-laptop-network" },
        },
      },
    ],
  ])("%s", (_, state, expected) => {
    const [first, ...others] = backendOf(state);
    expect(first).toEqual(expected);
    // Each stack has its own location.
    const places = [first, ...others].map((backend) => JSON.stringify(backend));
    expect(new Set(places).size).toBe(6);
  });
});

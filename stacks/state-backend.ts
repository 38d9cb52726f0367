import {
  GcsBackend,
  HttpBackend,
  LocalBackend,
  NamedRemoteWorkspace,
  PgBackend,
  RemoteBackend,
  S3Backend,
  type TerraformStack,
} from "cdktf";
import type { Environment, StateBackend } from "../environments";

/** Returns the environment's folder of local state, relative to a stack's working folder. */
export function stateFolder({ name }: Environment): string {
  return `../../../.state/${name}`;
}

/**
 * Declares the backend of a stack's state. It contains no credentials: every backend reads them from its own variables, such as
 * AWS_ACCESS_KEY_ID, TF_HTTP_PASSWORD or PG_CONN_STR.
 */
export function declareBackend(
  stack: TerraformStack,
  environment: Environment,
  layer: string,
): void {
  const backend: StateBackend = environment.state ?? { kind: "local" };
  const name = `${environment.name}/${layer}`;
  switch (backend.kind) {
    case "local":
      // Relative to the stack's folder in cdktf.out; the default of cdktf is an absolute path.
      new LocalBackend(stack, { path: `${stateFolder(environment)}/${layer}.tfstate` });
      break;
    case "s3": {
      const { bucket, region, endpoint } = backend;
      new S3Backend(stack, {
        bucket,
        region: region ?? "us-east-1",
        key: `groundwork/${name}.tfstate`,
        encrypt: true,
        // Features that other S3 APIs than Amazon's lack.
        ...(endpoint && {
          endpoints: { s3: endpoint },
          usePathStyle: true,
          skipCredentialsValidation: true,
          skipMetadataApiCheck: true,
          skipRegionValidation: true,
          skipRequestingAccountId: true,
          skipS3Checksum: true,
        }),
      });
      // Since Terraform 1.10 and OpenTofu 1.10; the bindings are older.
      stack.addOverride("terraform.backend.s3.use_lockfile", true);
      break;
    }
    case "http": {
      const address = `${backend.address}/${environment.name}-${layer}`;
      new HttpBackend(stack, {
        address,
        lockAddress: `${address}/lock`,
        lockMethod: "POST",
        unlockAddress: `${address}/lock`,
        unlockMethod: "DELETE",
      });
      break;
    }
    case "pg":
      new PgBackend(stack, { connStr: "", schemaName: `groundwork_${environment.name}_${layer}` });
      // The bindings require it in the file; Terraform reads it from PG_CONN_STR.
      stack.addOverride("terraform.backend.pg.conn_str", undefined);
      break;
    case "gcs":
      new GcsBackend(stack, { bucket: backend.bucket, prefix: `groundwork/${name}` });
      break;
    case "remote":
      new RemoteBackend(stack, {
        hostname: backend.hostname ?? "app.terraform.io",
        organization: backend.organization,
        workspaces: new NamedRemoteWorkspace(`groundwork-${environment.name}-${layer}`),
      });
      break;
  }
}

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
import { validate } from "../constructs/container/validation";
import type { Environment, StateBackend } from "../environments";

/** The environment's folder of local state as a stack's working folder sees it. */
export function stateFolder({ name }: Environment): string {
  return `../../../.state/${name}`;
}

/**
 * Where the state of a stack lies. Credentials are nowhere in it: every backend finds them in variables of its own, such as
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
      // Relative to the stack's folder in cdktf.out; cdktf's own default is an absolute path of the machine.
      new LocalBackend(stack, { path: `${stateFolder(environment)}/${layer}.tfstate` });
      break;
    case "s3": {
      const { bucket, region, endpoint } = backend;
      new S3Backend(stack, {
        bucket,
        region: region ?? "us-east-1",
        key: `groundwork/${name}.tfstate`,
        encrypt: true,
        // What another S3 API than Amazon's does not have.
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
      // A lock file beside the state, from Terraform 1.10 and OpenTofu 1.10 on; the bindings are older.
      stack.addOverride("terraform.backend.s3.use_lockfile", true);
      break;
    }
    case "http": {
      validate(
        /^https?:\/\/[^@]+[^/]$/.test(backend.address),
        () =>
          `the state's address is "${backend.address}": it has to be an http(s) URL without credentials and without a slash at its end`,
        stack,
      );
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
      // The bindings want it in the file; Terraform finds it in PG_CONN_STR.
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

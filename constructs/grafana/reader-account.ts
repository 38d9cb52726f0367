import { ServiceAccount } from "@cdktf/provider-grafana/lib/service-account";
import { ServiceAccountToken } from "@cdktf/provider-grafana/lib/service-account-token";
import { TerraformOutput } from "cdktf";
import { Construct } from "constructs";

/** A read-only service account (role Viewer), for scripts that read Grafana's API. */
export class ReaderAccount extends Construct {
  constructor(scope: Construct, id: string, { name }: { readonly name: string }) {
    super(scope, id);
    const account = new ServiceAccount(this, "Resource", { name, role: "Viewer" });
    const token = new ServiceAccountToken(this, "Token", {
      name,
      serviceAccountId: account.id,
    });
    const output = new TerraformOutput(this, "token", { value: token.key, sensitive: true });
    output.overrideLogicalId("reader_token");
  }
}

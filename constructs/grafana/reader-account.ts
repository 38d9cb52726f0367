import { ServiceAccount } from "@cdktf/provider-grafana/lib/service-account";
import { ServiceAccountToken } from "@cdktf/provider-grafana/lib/service-account-token";
import { Fn, TerraformOutput } from "cdktf";
import { Construct } from "constructs";

/** Scripts keep access over two months without a deploy. */
const TOKEN_DAYS = 90;

/**
 * A read-only service account (role Viewer), for scripts that read Grafana's API. Its token expires after 90 days. The first deploy of a
 * month (UTC) replaces it, so scripts read it from the Terraform output `reader_token` when they start.
 */
export class ReaderAccount extends Construct {
  constructor(scope: Construct, id: string, { name }: { readonly name: string }) {
    super(scope, id);
    const account = new ServiceAccount(this, "Resource", { name, role: "Viewer" });
    // The provider does not replace an expired token. It replaces a renamed one.
    const month = Fn.formatdate("YYYY-MM", Fn.plantimestamp());
    const token = new ServiceAccountToken(this, "Token", {
      name: `${name}-${month}`,
      serviceAccountId: account.id,
      secondsToLive: TOKEN_DAYS * 24 * 60 * 60,
      lifecycle: { createBeforeDestroy: true },
    });
    const output = new TerraformOutput(this, "token", { value: token.key, sensitive: true });
    output.overrideLogicalId("reader_token");
  }
}

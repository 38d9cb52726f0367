import { environments } from "../../../environments";
import { missingInputs, variablesOf } from "../../../operations/synthesis/inputs";
import { synthesize } from "../../support/platform";
import { restoreVariables } from "../../support/variables";

describe("the inputs of a deploy", () => {
  const { production } = environments;
  const variables = Object.values(synthesize(production).stacks).flatMap(variablesOf);
  restoreVariables();

  test("are checked before anything is created, all at once and by name", () => {
    const unnamed = { ...production, name: "unit-production" };
    expect(missingInputs(unnamed, variables)).toEqual([
      "Grafana admin password is not set: export TF_VAR_grafana_admin_password, or write it to .state/unit-production/grafana-admin-password (npx cdktf reads only that file)",
      "TF_VAR_grafana_url is not set: URL at which Terraform reaches Grafana: export TF_VAR_grafana_url",
    ]);
    process.env.TF_VAR_grafana_url = "https://grafana.example.org";
    expect(missingInputs({ ...unnamed, excludedServices: ["grafana"] }, variables)).toEqual([
      'TF_VAR_grafana_admin_password is not set: Password of Grafana\'s user "admin": export TF_VAR_grafana_admin_password, also for synth',
    ]);
    process.env.TF_VAR_grafana_admin_password = "secret";
    process.env.TF_VAR_grafana_url = "https://admin:hunter2@grafana.example.org";
    expect(missingInputs(unnamed, variables)).toContain(
      'TF_VAR_grafana_url is "https://[hidden]@grafana.example.org", with a password: remove that, and leave the rest: Terraform logs in as admin',
    );
    process.env.TF_VAR_grafana_url = "https://grafana.example.org";
    expect(missingInputs({ ...unnamed, excludedServices: ["grafana"] }, variables)).toEqual([]);
  });
});

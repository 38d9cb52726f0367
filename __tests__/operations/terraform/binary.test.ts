import { join } from "node:path";
import { callTerraform, detectTerraform } from "../../../operations/terraform/binary";
import { programsOnPath } from "../../support/programs";

const { folder, program } = programsOnPath();

describe("Terraform", () => {
  test("gets no CLI configuration that does not exist", async () => {
    program("terraform", 'echo "Terraform v1.11.4"; echo "config $TF_CLI_CONFIG_FILE"');
    const env = { ...process.env, TF_CLI_CONFIG_FILE: join(folder, "nowhere.rc") };
    expect(detectTerraform(env)).toMatchObject({ command: "terraform", version: "1.11.4" });
    process.env.TF_CLI_CONFIG_FILE = env.TF_CLI_CONFIG_FILE;
    try {
      const said = await callTerraform({ command: "terraform" }, folder, ["version"]);
      expect(said).toBe("Terraform v1.11.4\nconfig ");
    } finally {
      delete process.env.TF_CLI_CONFIG_FILE;
    }
  });

  test("has its error shown, or why it did not start", async () => {
    program("terraform", "echo 'Error: no backend' >&2; exit 1");
    const init = (command: string) => callTerraform({ command }, folder, ["init"]);
    await expect(init("terraform")).rejects.toThrow(
      `terraform init in ${folder} failed:\nError: no backend`,
    );
    await expect(init("no-such-terraform")).rejects.toThrow("ENOENT");
  });
});

import { laptop } from "../../environments/laptop";
import { containers, synthesize } from "../support/platform";

const secured = { ...laptop, security: "tls" } as const;
const LABEL = "groundwork.secrets-generation";

/** Returns the generation on each container that has the label. */
function generationsIn(stacks: Parameters<typeof containers>[0]): Record<string, string> {
  return Object.fromEntries(
    containers(stacks).flatMap(({ name, labels }) =>
      labels
        .filter(({ label }: { readonly label: string }) => label === LABEL)
        .map(({ value }: { readonly value: string }) => [name, value]),
    ),
  );
}

test("the sidecars with the administrators' key pairs tell with which secrets they were created, and a new generation replaces none", () => {
  const { stacks } = synthesize(secured);
  const { value } = stacks["laptop-network"].output.secrets_generation;
  expect(value).toContain("/secrets/generation");
  expect(generationsIn(stacks)).toEqual({ "kafka-init": value, "os-security": value });
  const ignoring = containers(stacks).filter(({ lifecycle }) => lifecycle !== undefined);
  expect(ignoring.map(({ name, lifecycle }) => [name, lifecycle]).sort()).toEqual(
    ["kafka-init", "os-security"].map((name) => [name, { ignore_changes: ["labels"] }]),
  );
});

test("a plaintext environment has no generation", () => {
  const { stacks } = synthesize(laptop);
  expect(generationsIn(stacks)).toEqual({});
  expect(stacks["laptop-network"].output?.secrets_generation).toBeUndefined();
});

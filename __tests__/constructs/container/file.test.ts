import { escapeTemplate, unescapeTemplate } from "../../../constructs/container/file";
import { laptop } from "../../../environments/laptop";
import { container, type Json, synthesize } from "../../support/platform";

test("an uploaded program is a path inside the synthesized stack, and a hash", () => {
  const init = container(synthesize(laptop).stacks, "kafka-init");
  const { content, source, source_hash } = init.upload.find(
    ({ file }: Json) => file === "/groundwork/kafka-init.jar",
  );
  expect(content).toBeUndefined();
  expect(source).toMatch(new RegExp(`^assets/[^/]+/${source_hash}/kafka-init\\.jar$`));
});

test("an uploaded file reaches the container unchanged", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what is escaped
  expect(escapeTemplate("a ${b} %{c} $d 100% $${e}")).toBe("a $${b} %%{c} $d 100% $$${e}");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what is escaped
  const content = "a ${b} %{c} $d 100% $${e}";
  expect(unescapeTemplate(escapeTemplate(content))).toBe(content);
});

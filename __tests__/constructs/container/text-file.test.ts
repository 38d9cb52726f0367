import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dashboard, IndexTemplate, readAlertGroups } from "../../../constructs";
import { readTextFile } from "../../../constructs/container/text-file";

const folder = mkdtempSync(join(tmpdir(), "text-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each<[string, string, (file: string) => unknown]>([
  ["dashboard", "board.json", (file) => Dashboard.fromFile(file)],
  ["index template", "logs.json", () => IndexTemplate.fromDirectory(folder)],
  ["alert rules", "kafka.yml", () => readAlertGroups(folder, folder)],
])("the file of %s", (kind, name, readIt) => {
  const file = join(folder, name);
  const place = `${kind} ${file}`;
  afterEach(() => rmSync(file, { recursive: true }));

  test("is rejected if it is a folder", () => {
    mkdirSync(file);
    expect(() => readIt(file)).toThrow(`${place} is a folder: replace it with a file`);
  });

  test("is rejected in another encoding than UTF-8, with the command that converts it", () => {
    const convert = (encoding: string) =>
      `save it as UTF-8, such as with cp -p ${file} ${file}.new && iconv -f ${encoding} -t UTF-8 ${file} >${file}.new && mv ${file}.new ${file}`;
    writeFileSync(file, Buffer.from("\uFEFF{}", "utf16le"));
    expect(() => readIt(file)).toThrow(`${place} is UTF-16: ${convert("UTF-16")}`);
    writeFileSync(file, Buffer.from("{}", "utf16le"));
    expect(() => readIt(file)).toThrow(
      `${place} is UTF-16LE without a byte order mark: ${convert("UTF-16LE")}`,
    );
    writeFileSync(file, Buffer.from("{}", "utf16le").swap16());
    expect(() => readIt(file)).toThrow(
      `${place} is UTF-16BE without a byte order mark: ${convert("UTF-16BE")}`,
    );
    writeFileSync(file, Buffer.from('{"title":"Verzögerung"}', "latin1"));
    expect(() => readIt(file)).toThrow(
      `${place} is not UTF-8: ${convert("ISO-8859-1")} if that is its encoding`,
    );
  });
});

test("the command that converts a secret keeps it closed to other users", () => {
  const file = join(folder, "it's a key.pem");
  writeFileSync(file, Buffer.from("\uFEFFsecret", "utf16le"), { mode: 0o600 });
  let message = "";
  try {
    readTextFile(file);
  } catch (error) {
    ({ message } = error as Error);
  }
  const [, command] = /such as with (.*)$/.exec(message) ?? [];
  execFileSync("sh", ["-c", `umask 022; ${command}`]);
  expect(readTextFile(file)).toBe("secret");
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

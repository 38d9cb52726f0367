import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkKeyPair, readCertificates, readChain } from "../../secrets/pem";
import { KafkaHarness } from "../support/fake-kafka";
import { type Issued, issue, keyAs } from "../support/issued";

const folder = mkdtempSync(join(tmpdir(), "pem-"));
let harness: KafkaHarness;
let [first, second]: Issued[] = [];
beforeAll(async () => {
  harness = await KafkaHarness.start();
  first = await issue({ name: "first", isCa: true });
  second = await issue({ name: "second", isCa: true });
});
afterAll(async () => {
  await harness.stop();
  rmSync(folder, { recursive: true });
});

const base64Of = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, "");

/** A block as some program or editor may write it. */
interface Spelling {
  readonly width: number;
  readonly indent: string;
  readonly trailing: string;
  readonly blank: boolean;
  readonly before: string;
  readonly end: string;
  readonly hyphens: string;
}

/** The usual spelling of a part is by far the likeliest, so that many files have one or two unusual parts. */
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));

const spelling: fc.Arbitrary<Spelling> = fc.record({
  width: mostly(64, 76, 65, 4, 10_000),
  indent: mostly("", " ", "\t"),
  trailing: mostly("", " ", "\t", "  "),
  blank: mostly(false, true),
  before: mostly(
    "",
    "\n",
    "subject=CN = first\nissuer=CN = first\n",
    "# note\n",
    "Bag Attributes\n    a: b\n",
    "--\n",
    "-----\n",
    "a-b: c\n",
    "note ",
  ),
  end: mostly("\n", "", " ", "\n\n"),
  hyphens: mostly("-----", "----", "------", "—"),
});

function spell(label: string, pem: string, how: Spelling): string {
  const { width, indent, trailing, blank, before, end, hyphens } = how;
  const content = base64Of(pem).match(new RegExp(`.{1,${width}}`, "g")) ?? [];
  const lines = [
    `${hyphens}BEGIN ${label}${hyphens}`,
    ...(blank ? [""] : []),
    ...content,
    `${hyphens}END ${label}${hyphens}`,
  ];
  return before + lines.map((line) => indent + line + trailing).join("\n") + end;
}

const file = fc.record({
  spellings: fc.tuple(spelling, spelling, spelling),
  lineBreak: mostly("\n", "\r\n", "\r"),
  mark: mostly("", "\uFEFF"),
  keyFirst: fc.boolean(),
  keyLabel: mostly("PRIVATE KEY", "private key", "EC PRIVATE KEY", "ANY PRIVATE KEY"),
  certificateLabel: mostly("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "certificate"),
});
type File = typeof file extends fc.Arbitrary<infer T> ? T : never;

const bundleOf = ({ spellings, certificateLabel }: File) =>
  [first, second]
    .map(({ certificate }, i) => spell(certificateLabel, certificate, spellings[i]))
    .join("");

function keyPairOf({ spellings, keyLabel, certificateLabel, keyFirst }: File): string {
  const parts = [
    spell(keyLabel, keyAs("pkcs8", first), spellings[0]),
    spell(certificateLabel, first.certificate, spellings[1]),
  ];
  return (keyFirst ? parts : parts.reverse()).join("");
}

// Kafka's keystore takes 0.1 s a file.
test.each<
  ["truststore" | "keystore", number, (file: File) => string, (path: string) => unknown, string[]]
>([
  ["truststore", 300, bundleOf, readCertificates, ["CN=first", "CN=second"]],
  ["keystore", 80, keyPairOf, (path) => [readChain(path), checkKeyPair(path)], ["CN=first"]],
])(
  "a spelling of a %s is rejected, or Kafka reads all of it",
  async (as, count, render, check, subjects) => {
    const accepted = new Map<string, string>();
    for (const [i, sample] of fc.sample(file, count).entries()) {
      const path = join(folder, `${as}-${i}.pem`);
      const text = sample.mark + render(sample).replaceAll("\n", sample.lineBreak);
      writeFileSync(path, text);
      try {
        check(path);
        accepted.set(path, text);
      } catch (error) {
        expect((error as Error).name).toBe("ValidationError");
      }
    }
    expect(accepted.size).toBeGreaterThan(count / 8);
    expect(accepted.size).toBeLessThan((count * 7) / 8);
    const read = await harness.read(as, [...accepted.keys()]);
    const misread = [...accepted.values()].filter(
      (_, i) => JSON.stringify([...(read[i].subjects ?? [])].sort()) !== JSON.stringify(subjects),
    );
    expect(misread).toEqual([]);
  },
);

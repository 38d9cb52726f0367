import fc from "fast-check";
import type { Environment } from "../../environments";
import { laptop } from "../../environments/laptop";
import { validateEnvironment } from "../../environments/validate";
import { withEngine } from "../../stacks/placement";

const validate = (changes: object) =>
  validateEnvironment("laptop", { ...laptop, ...changes } as Environment);
const machines = (engine: string, address = "10.0.0.1") => ({
  machines: [
    { name: "a", engine, address },
    { name: "b", engine: "ssh://ops@host-b", address: "10.0.0.2" },
    { name: "c", engine: "ssh://host-c:2222", address: "10.0.0.3" },
  ],
});
const http = (address: string) => ({ state: { kind: "http", address } });
const s3 = (endpoint: string) => ({ state: { kind: "s3", bucket: "team", endpoint } });
const remote = (hostname: string) => ({
  state: { kind: "remote", organization: "team", hostname },
});
const smtp = (host: string) => ({
  grafana: { ...laptop.grafana, smtp: { host, fromAddress: "ops@example.org" } },
});

describe("an address is rejected, and what may be secret is hidden", () => {
  test.each<[object, string]>([
    [
      http("https://user:hunter2@gitlab.example.org/state"),
      'state.address of environment "laptop" is "https://[hidden]@gitlab.example.org/state", with a password: remove that, and export TF_HTTP_USERNAME and TF_HTTP_PASSWORD',
    ],
    [
      http("https://hunter2@gitlab.example.org/state"),
      'state.address of environment "laptop" is "https://[hidden]@gitlab.example.org/state", with a user name or token: remove that, and export TF_HTTP_USERNAME and TF_HTTP_PASSWORD',
    ],
    [
      http("https://gitlab.example.org/state?private_token=hunter2"),
      'state.address of environment "laptop" is "https://gitlab.example.org/state?[hidden]", with parameters: remove that, and export TF_HTTP_USERNAME and TF_HTTP_PASSWORD',
    ],
    [
      s3("https://AKIA123:hunter2@minio.example.org"),
      'state.endpoint of environment "laptop" is "https://[hidden]@minio.example.org", with a password: remove that, and export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    ],
    [
      remote("user:hunter2@tfe.example.org"),
      'state.hostname of environment "laptop" is "[hidden]@tfe.example.org", with a password: remove that, and export TF_TOKEN_<host>, or run terraform login',
    ],
    [
      machines("ssh://ops:hunter2@host-a"),
      'the engine of machine "a" is "ssh://[hidden]@host-a", with a password: remove that, and configure a key for the host in ~/.ssh/config',
    ],
    [
      machines("tcp://ops:hunter2@host-a:2376"),
      'the engine of machine "a" is "tcp://[hidden]@host-a:2376", with a password: remove that, and use a client certificate with DOCKER_CERT_PATH',
    ],
    [
      machines("ssh://ops@host-a", "ops:hunter2@10.0.0.1"),
      'the address of machine "a" is "[hidden]@10.0.0.1": it must be the IP address at which the other machines reach it',
    ],
    [
      smtp("ops:hunter2@smtp.example.org:587"),
      'grafana.smtp.host of environment "laptop" is "[hidden]@smtp.example.org:587", with a password: remove that, and use a server that accepts email from this machine without a login',
    ],
    [
      { state: { kind: "http", address: ["https://user:hunter2@gitlab.example.org"] } },
      'environment "laptop": state.address is a list: it must be a string',
    ],
    [
      { memoryScale: "https://user:hunter2@gitlab.example.org" },
      'environment "laptop": memoryScale is [hidden]: it must be a number',
    ],
  ])("%j", (changes, message) => {
    expect(() => validate(changes)).toThrow(message);
    expect(() => validate(changes)).not.toThrow("hunter2");
  });

  test.each([
    [{ host: "ssh://ops:hunter2@host" }, "DOCKER_HOST"],
    [{ host: "ssh://ops:hunter2@host", context: "far" }, 'the engine of Docker context "far"'],
  ])("of the Docker engine %j", (engine, what) => {
    expect(() => withEngine(laptop, engine)).toThrow(
      `${what} is "ssh://[hidden]@host", with a password: remove that, and configure a key for the host in ~/.ssh/config`,
    );
  });

  test("whatever the password is", () => {
    const password = fc.string({ minLength: 6, unit: "binary" }).map((text) => `hunter2${text}`);
    const places = [
      (secret: string) => http(`https://user:${secret}@gitlab.example.org/state`),
      (secret: string) => http(`https://gitlab.example.org/state?token=${secret}`),
      (secret: string) => s3(`https://user:${secret}@minio.example.org`),
      (secret: string) => machines(`ssh://ops:${secret}@host-a`),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), password, (place, secret) => {
        expect(() => validate(place(secret))).toThrow(/\[hidden\]/);
        expect(() => validate(place(secret))).not.toThrow("hunter2");
      }),
    );
  });
});

test.each<[object, string]>([
  [
    http("gitlab.example.org/state"),
    'state.address of environment "laptop" is "gitlab.example.org/state": it must be an http(s) URL without a trailing slash',
  ],
  [
    http("https://gitlab.example.org/"),
    'state.address of environment "laptop" is "https://gitlab.example.org/": it must be an http(s) URL without a trailing slash',
  ],
  [
    s3("minio.example.org"),
    'state.endpoint of environment "laptop" is "minio.example.org": it must be an http(s) URL',
  ],
  [
    remote("https://tfe.example.org"),
    'state.hostname of environment "laptop" is "https://tfe.example.org": it must be a host name without a scheme or path',
  ],
  [
    smtp("smtp.example.org"),
    'grafana.smtp.host of environment "laptop" is "smtp.example.org": it must be a host and a port, such as smtp.example.org:587',
  ],
])("an address is rejected if it is malformed: %j", (changes, message) => {
  expect(() => validate(changes)).toThrow(message);
});

test.each([
  http("https://gitlab.example.org:8443/api/v4/projects/team@example/terraform/state"),
  machines("unix:///run/user@1000:docker/docker.sock"),
  s3("http://127.0.0.1:9000"),
  remote("tfe.example.org:8443"),
  smtp("[::1]:25"),
  machines("ssh://ops@host-a"),
  machines("unix:///run/user/1000/docker.sock"),
])("an address without a secret is accepted: %j", (changes) => {
  validate(changes);
  withEngine(laptop, { host: "ssh://ops@host" });
});

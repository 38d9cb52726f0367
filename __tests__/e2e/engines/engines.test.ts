import { docker, freshLab } from "../../support/lab";
import { testSmoke } from "../../support/smoke";

describe("on this machine's own engine", () => testSmoke("bookworm"));

describe("on Debian trixie's engine", () => testSmoke("trixie"));

describe("on Debian forky's engine", () => {
  testSmoke("forky");

  test("it is set up as a fresh Docker 29", () => {
    expect(docker("version", "--format", "{{.Server.MinAPIVersion}}")).toBe("1.44");
    expect(docker("info", "--format", "{{.DriverStatus}}")).toContain("containerd.snapshotter");
  });
});

// Other suites use the default engine.
afterAll(() => freshLab());

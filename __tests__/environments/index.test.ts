import { environmentNamed, withCurrentNames } from "../../environments";
import { laptop } from "../../environments/laptop";
import { lab } from "../../lab/environments";
import { knownEnvironments } from "../../operations/synthesis/environment";

const { excludedServices, ...rest } = lab;
const warn = jest.spyOn(console, "warn").mockImplementation();

beforeEach(() => warn.mockClear());

test("deprecated names of properties still work, each with a warning", () => {
  const former = { ...rest, without: excludedServices, absent: ["c"] };
  expect(withCurrentNames({ lab: former })).toEqual({
    lab: { ...lab, excludedMachines: ["c"] },
  });
  expect(warn.mock.calls).toEqual([
    [
      'warning: environment "lab" sets "without", which is deprecated: rename it to "excludedServices"',
    ],
    [
      'warning: environment "lab" sets "absent", which is deprecated: rename it to "excludedMachines"',
    ],
  ]);
});

test("an environment with current names stays as declared", () => {
  expect(withCurrentNames({ lab })).toEqual({ lab });
  expect(warn.mock.calls).toEqual([]);
});

test("an unknown environment is rejected with the list of known ones", () => {
  expect(() => environmentNamed(knownEnvironments, "prod")).toThrow(
    'GROUNDWORK_ENV is "prod": allowed are laptop, small, production, lab, lab-secured, lab-three, lab-three-secured; unset it to use laptop',
  );
  expect(environmentNamed(knownEnvironments)).toEqual(laptop);
  expect(() => environmentNamed(knownEnvironments, "constructor")).toThrow(
    'GROUNDWORK_ENV is "constructor"',
  );
});

test("every environment of this repository is valid", () => {
  for (const name of Object.keys(knownEnvironments)) {
    expect(environmentNamed(knownEnvironments, name).name).toBe(name);
  }
});

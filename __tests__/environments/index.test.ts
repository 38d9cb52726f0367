import { environmentNamed, withCurrentNames } from "../../environments";
import { laptop } from "../../environments/laptop";
import { lab } from "../../lab/environments";
import { knownEnvironments } from "../../operations/synthesis/environment";

const { excludedServices, ...rest } = lab;
const warn = jest.spyOn(console, "warn").mockImplementation();

beforeEach(() => warn.mockClear());

test("an environment's properties are also taken by their former names, each with a warning", () => {
  const former = { ...rest, without: excludedServices, absent: ["c"] };
  expect(withCurrentNames({ lab: former })).toEqual({
    lab: { ...lab, excludedMachines: ["c"] },
  });
  expect(warn.mock.calls).toEqual([
    [
      'warning: environment "lab" has "without", which is deprecated: rename it to excludedServices',
    ],
    ['warning: environment "lab" has "absent", which is deprecated: rename it to excludedMachines'],
  ]);
});

test("an environment with today's names is as it was declared", () => {
  expect(withCurrentNames({ lab })).toEqual({ lab });
  expect(warn.mock.calls).toEqual([]);
});

test("an unknown environment fails with those that are allowed", () => {
  expect(() => environmentNamed(knownEnvironments, "prod")).toThrow(
    'GROUNDWORK_ENV is "prod": allowed are laptop, production, lab, lab-secured, lab-three, lab-three-secured; leave it unset for laptop',
  );
  expect(environmentNamed(knownEnvironments)).toEqual(laptop);
  expect(() => environmentNamed(knownEnvironments, "constructor")).toThrow(
    'GROUNDWORK_ENV is "constructor"',
  );
});

test("every environment of this repository is sound", () => {
  for (const name of Object.keys(knownEnvironments)) {
    expect(environmentNamed(knownEnvironments, name).name).toBe(name);
  }
});

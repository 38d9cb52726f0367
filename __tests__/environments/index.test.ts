import { withCurrentNames } from "../../environments";
import { lab } from "../../lab/environments";

const { excludedServices, ...rest } = lab;
const warn = jest.spyOn(console, "warn").mockImplementation();

beforeEach(() => warn.mockClear());

test("an environment's properties are also taken by their former names, each with a warning", () => {
  const former = { ...rest, without: excludedServices, absent: ["c"] };
  expect(withCurrentNames(former)).toEqual({ ...lab, excludedMachines: ["c"] });
  expect(warn.mock.calls).toEqual([
    [
      'warning: environment "lab" has "without", which is deprecated: rename it to excludedServices',
    ],
    ['warning: environment "lab" has "absent", which is deprecated: rename it to excludedMachines'],
  ]);
});

test("an environment with today's names is as it was declared", () => {
  expect(withCurrentNames(lab)).toEqual(lab);
  expect(warn.mock.calls).toEqual([]);
});

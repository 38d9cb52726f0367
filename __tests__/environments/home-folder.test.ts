import { homedir } from "node:os";
import { homeFolder } from "../../environments/home-folder";

jest.mock("node:os", () => ({ ...jest.requireActual("node:os"), homedir: jest.fn() }));

test("a user id without an account has no home folder", () => {
  jest.mocked(homedir).mockReturnValueOnce("/home/ada");
  expect(homeFolder()).toBe("/home/ada");
  jest.mocked(homedir).mockImplementationOnce(() => {
    throw new Error("A system error occurred: uv_os_homedir returned ENOENT");
  });
  expect(homeFolder()).toBeUndefined();
});

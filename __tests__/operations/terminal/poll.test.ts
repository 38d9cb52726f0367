import { poll } from "../../../operations/terminal/poll";

/** Returns the answers in sequence, then the last one forever. */
function answers(...all: number[]): () => Promise<number> {
  return async () => (all.length > 1 ? (all.shift() as number) : all[0]);
}

const isZero = (seen: number) => seen === 0;

test("returns at once if the first result is wanted", async () => {
  const onWait = jest.fn();
  const patience = { intervalMs: 3_600_000, patienceMs: 3_600_000, onWait };
  expect(await poll(answers(0), isZero, patience)).toBe(0);
  expect(onWait).not.toHaveBeenCalled();
});

test("looks again until the result is wanted, and calls onWait each time", async () => {
  const onWait = jest.fn();
  const patience = { intervalMs: 1, patienceMs: 3_600_000, onWait };
  expect(await poll(answers(2, 1, 0), isZero, patience)).toBe(0);
  expect(onWait.mock.calls).toEqual([[2], [1]]);
});

test("returns the last result when patience ends", async () => {
  expect(await poll(answers(2, 1), isZero, { intervalMs: 20, patienceMs: 1 })).toBe(1);
});

test("throws the error of a look", async () => {
  const look = () => Promise.reject(new Error("no answer"));
  await expect(poll(look, isZero, { intervalMs: 1, patienceMs: 1000 })).rejects.toThrow(
    "no answer",
  );
});

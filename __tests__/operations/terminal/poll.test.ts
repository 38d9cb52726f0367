import { poll } from "../../../operations/terminal/poll";

/** Answers one after the other, the last one for ever. */
function answers(...all: number[]): () => Promise<number> {
  return async () => (all.length > 1 ? (all.shift() as number) : all[0]);
}

const isZero = (seen: number) => seen === 0;

test("what is as wanted at once is not waited for", async () => {
  const onWait = jest.fn();
  const patience = { intervalMs: 3_600_000, patienceMs: 3_600_000, onWait };
  expect(await poll(answers(0), isZero, patience)).toBe(0);
  expect(onWait).not.toHaveBeenCalled();
});

test("what is not yet as wanted is looked at again, and told each time", async () => {
  const onWait = jest.fn();
  const patience = { intervalMs: 1, patienceMs: 3_600_000, onWait };
  expect(await poll(answers(2, 1, 0), isZero, patience)).toBe(0);
  expect(onWait.mock.calls).toEqual([[2], [1]]);
});

test("what was seen last is returned when patience ends", async () => {
  expect(await poll(answers(2, 1), isZero, { intervalMs: 20, patienceMs: 1 })).toBe(1);
});

test("an error while looking ends it", async () => {
  const look = () => Promise.reject(new Error("no answer"));
  await expect(poll(look, isZero, { intervalMs: 1, patienceMs: 1000 })).rejects.toThrow(
    "no answer",
  );
});

/** Gives this process the variables back that it had, after each test. */
export function restoreVariables(): void {
  const given = { ...process.env };
  afterEach(() => {
    process.env = { ...given };
  });
}

/** Restores the environment variables of this process after each test. */
export function restoreVariables(): void {
  const given = { ...process.env };
  afterEach(() => {
    process.env = { ...given };
  });
}

/** How long one suite may take: three times what the longest takes on a quiet machine. One that needs longer is cut in two. */
export const LIMIT_SECONDS = 15 * 60;

/** Every suite, a folder each, and the seconds that it takes on a quiet machine of two cores with the lab's images built. */
export const SUITES: Readonly<Record<string, number>> = {
  smoke: 85,
  observability: 95,
  state: 100,
  declared: 100,
  docs: 120,
  remote: 130,
  "engine-proxy": 130,
  locking: 150,
  adopt: 180,
  "secured-changes": 200,
  machines: 200,
  rotation: 220,
  rolling: 240,
  lifecycle: 250,
  "machines-loss": 280,
  "machines-rolling": 280,
  secured: 280,
  "rotation-authority": 280,
  "machines-secured": 300,
};

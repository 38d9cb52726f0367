/** How long one suite may take: three times what the longest takes on a quiet machine. One that needs longer is cut in two. */
export const LIMIT_SECONDS = 15 * 60;

/** Every suite, a folder each, and the seconds that it takes on a quiet machine of two cores with the lab's images built. */
export const SUITES: Readonly<Record<string, number>> = {
  state: 70,
  smoke: 85,
  declared: 100,
  docs: 120,
  terrain: 130,
  locking: 150,
  remote: 165,
  "engine-proxy": 195,
  "secured-changes": 200,
  machines: 200,
  rotation: 220,
  observability: 235,
  lifecycle: 250,
  adopt: 260,
  "machines-loss": 280,
  "machines-rolling": 280,
  secured: 280,
  "rotation-authority": 280,
  engines: 300,
  rolling: 300,
  "machines-secured": 300,
};

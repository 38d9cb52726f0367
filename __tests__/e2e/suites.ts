/** What a suite may take on a quiet machine. One that takes longer is cut in two. */
export const MOST_SECONDS = 300;

/** Every suite, a folder each, and the seconds that it takes on a quiet machine of two cores with the lab's images built. */
export const SUITES: Readonly<Record<string, number>> = {
  state: 70,
  smoke: 85,
  docs: 120,
  declared: 130,
  terrain: 130,
  locking: 150,
  remote: 165,
  "engine-proxy": 195,
  machines: 200,
  "secured-sidecars": 210,
  rotation: 220,
  lifecycle: 250,
  observability: 260,
  "machines-loss": 280,
  "machines-rolling": 280,
  "rotation-authority": 280,
  "secured-adopt": 280,
  adopt: 300,
  engines: 300,
  rolling: 300,
  secured: 300,
  "machines-secured": 300,
};

/** Their names, the shortest first. */
export const SHORTEST_FIRST: readonly string[] = Object.keys(SUITES).sort(
  (a, b) => SUITES[a] - SUITES[b],
);

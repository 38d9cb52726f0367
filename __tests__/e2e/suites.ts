/** How long one suite may take: three times what the longest takes on a quiet machine. One that needs longer is cut in two. */
export const LIMIT_SECONDS = 15 * 60;

/** Every suite, a folder each, and the seconds that it takes on a quiet machine of two cores with the lab's images built. */
export const SUITES: Readonly<Record<string, number>> = {
  smoke: 85,
  state: 100,
  declared: 100,
  docs: 120,
  remote: 130,
  "engine-proxy": 130,
  adopt: 180,
  lifecycle: 200,
  observability: 220,
  rolling: 260,
  "machines-secured": 300,
  secured: 300,
  rotation: 300,
  machines: 300,
};

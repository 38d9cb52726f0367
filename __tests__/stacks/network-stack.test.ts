import { laptop } from "../../environments/laptop";
import { type Json, synthesize } from "../support/platform";

test("a network can be adopted by name", () => {
  const { stacks } = synthesize({
    ...laptop,
    networks: { ...laptop.networks, project: { name: "team_net", adopt: true } },
  });
  expect(Object.values(stacks["laptop-network"].data.docker_network)).toEqual([
    expect.objectContaining({ name: "team_net" }),
  ]);
  const made = Object.values<Json>(stacks["laptop-network"].resource.docker_network);
  expect(made.map(({ name }) => name)).toEqual(["infra_net"]);
});

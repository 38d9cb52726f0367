// npm run swarm: makes the machines of an environment one Docker Swarm. Run again, it takes in those that are missing.
import { makeSwarm } from "../operations/swarm/swarm";
import { currentEnvironment } from "../operations/synthesis/environment";
import { parseOptions, runCommand } from "../operations/terminal/terminal";

runCommand(async () => {
  parseOptions();
  await makeSwarm(currentEnvironment());
});

import {
  testKafkaAuthorization,
  testOpenSearchAuthorization,
} from "../../support/authorization-matrix";
import { SecuredMachines } from "../../support/secured-machines";

let platform: SecuredMachines;

beforeAll(async () => {
  platform = await SecuredMachines.deploy();
});
afterAll(() => platform.remove());

describe("on a machine without the init sidecars", () => {
  testOpenSearchAuthorization(() => platform.visitors, {
    project_net: {
      url: "https://opensearch:9200",
      run: (...command) => platform.visitors.guests.project_net.run(...command),
    },
    infra_net: {
      url: "https://opensearch-1:9200",
      run: (...command) => platform.visitors.guests.infra_net.run(...command),
    },
  });
  testKafkaAuthorization(() => platform.visitors);
});

import { testSmoke } from "../../support/smoke";

testSmoke();

import { testKilled } from "../../support/killed";

testKilled("containers");

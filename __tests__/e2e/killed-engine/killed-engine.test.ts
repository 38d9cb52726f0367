import { testKilled } from "../../support/killed";

testKilled("engine");

import { removeTrials } from "./lab";

afterAll(removeTrials);

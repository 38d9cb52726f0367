import * as v from "valibot";
import { type Declared, object } from "../container/declaration";

export const smtpSchema = object({
  /** Host and port, as in `smtp.example.org:587`. */
  host: v.string(),

  /** Sender's address. */
  fromAddress: v.string(),
});

/** Where Grafana sends e-mail through. */
export type Smtp = Declared<typeof smtpSchema>;

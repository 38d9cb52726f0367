import * as v from "valibot";
import { type Declared, object } from "../container/declaration";

export const smtpSchema = object({
  /** The host and port, such as `smtp.example.org:587`. */
  host: v.string(),

  /** The sender's address. */
  fromAddress: v.string(),
});

/** The SMTP server through which Grafana sends email. */
export type Smtp = Declared<typeof smtpSchema>;

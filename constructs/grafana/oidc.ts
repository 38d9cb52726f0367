import * as v from "valibot";
import { type Declared, object } from "../container/declaration";

// Grafana would put something else in their place.
const PLAIN = /^(?!.*(?:\$\{|\$__|%\()).+$/;
const TEXT = "a text without ${, $__ and %(";
const textSchema = v.pipe(v.string(TEXT), v.regex(PLAIN, TEXT));

// The client secret and tokens are sent there.
const HTTPS = "a URL that starts with https://, such as https://id.example.org/token";
const endpointSchema = v.pipe(textSchema, v.regex(/^https:\/\/\S+$/, HTTPS));

const wordSchema = v.pipe(textSchema, v.regex(/^\S+$/, "a text without spaces"));

export const oidcSchema = object({
  /**
   * The name on the login page's button, as in "Sign in with Example".
   *
   * @default "OpenID Connect"
   */
  name: v.optional(textSchema),

  /** The id with which Grafana is registered at the identity provider. */
  clientId: textSchema,

  /** The authorization endpoint, to which Grafana sends browsers. */
  authUrl: endpointSchema,

  /** The token endpoint. */
  tokenUrl: endpointSchema,

  /** The UserInfo endpoint. */
  apiUrl: endpointSchema,

  /**
   * The scopes that Grafana requests.
   *
   * @default ["openid", "profile", "email"]
   */
  scopes: v.optional(v.array(wordSchema)),

  /**
   * A JMESPath expression over the user's claims. Its result is the user's role: `Viewer`, `Editor` or `Admin`.
   *
   * @default - every user is a `Viewer`
   */
  roleAttributePath: v.optional(textSchema),

  /**
   * Whether users without a role by `roleAttributePath` are refused.
   *
   * @default false - such a user is a `Viewer`
   */
  roleAttributeStrict: v.optional(v.boolean()),

  /**
   * The domains of email addresses that may sign in.
   *
   * @default - every user of the identity provider
   */
  allowedDomains: v.optional(v.array(wordSchema)),
});

/** The identity provider with which people sign in to Grafana, by OpenID Connect or OAuth 2.0. */
export type Oidc = Declared<typeof oidcSchema>;

export const rootUrlSchema = v.pipe(
  textSchema,
  v.regex(/^https?:\/\/[^\s/?#]+\/?$/, "a URL without a path, such as https://grafana.example.org"),
);

/** Returns Grafana's settings for an identity provider. The file in the container has the client secret. */
export function renderOidc(oidc: Oidc, clientSecretFile: string): Record<string, string> {
  const { scopes = ["openid", "profile", "email"], allowedDomains = [] } = oidc;
  const { roleAttributePath, roleAttributeStrict = false } = oidc;
  const settings = {
    ENABLED: "true",
    NAME: oidc.name ?? "OpenID Connect",
    CLIENT_ID: oidc.clientId,
    CLIENT_SECRET: `$__file{${clientSecretFile}}`,
    AUTH_URL: oidc.authUrl,
    TOKEN_URL: oidc.tokenUrl,
    API_URL: oidc.apiUrl,
    SCOPES: scopes.join(" "),
    USE_PKCE: "true",
    // Creates a user at the first login. The identity provider and allowedDomains decide who may sign in.
    ALLOW_SIGN_UP: "true",
    ...(roleAttributePath && { ROLE_ATTRIBUTE_PATH: roleAttributePath }),
    ROLE_ATTRIBUTE_STRICT: String(roleAttributeStrict),
    ...(allowedDomains.length > 0 && { ALLOWED_DOMAINS: allowedDomains.join(" ") }),
  };
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`GF_AUTH_GENERIC_OAUTH_${name}`, value]),
  );
}

// A certified OpenID provider on loopback: node provider.mjs PORT REDIRECT_URI [SECOND_AUTH_METHOD]
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const [port, redirect, method = "client_secret_basic"] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = { ana: ["buyers"], eve: [], root: ["admin", "buyers"], odd: ["of-another-tool"] };

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: alg };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "endcap",
      client_secret: "s:e c/r+e&t=%-of-the-dashboard",
      redirect_uris: [redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      token_endpoint_auth_method: method,
    },
    {
      client_id: "robot",
      client_secret: "robots-have-secrets-too",
      redirect_uris: [],
      response_types: [],
      grant_types: ["client_credentials"],
    },
  ],
  jwks: { keys: [await key("RS256"), await key("ES256")] },
  pkce: { required: () => true },
  claims: { openid: ["sub", "roles"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, roles: people[id] ?? [] }) }),
  extraTokenClaims: (_, token) => ({ roles: people[token.accountId] ?? ["buyers"] }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: "api",
        audience: resource,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: resource.endsWith("rsa") ? "RS256" : "ES256" } },
      }),
    },
  },
  cookies: { keys: ["test"] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 300, ClientCredentials: 300 },
});
provider.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ issuer })));

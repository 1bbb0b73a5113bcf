// openid-client completes our code flow, and jose takes our tokens:
// node client.mjs '{"url","client","redirect","cookie","robot":{"id","secret"}}'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { generators, Issuer } from "openid-client";

const given = JSON.parse(process.argv[2]);
const issuer = await Issuer.discover(`${given.url}/.well-known/oauth-authorization-server`);
const keys = createRemoteJWKSet(new URL(issuer.metadata.jwks_uri));
const expected = { issuer: given.url, audience: given.url, typ: "at+jwt", algorithms: ["ES256"] };
const checked = async (token) => (await jwtVerify(token, keys, expected)).payload;

const client = new issuer.Client({
  client_id: given.client,
  redirect_uris: [given.redirect],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
});
const code_verifier = generators.codeVerifier();
const state = generators.state();
const address = client.authorizationUrl({
  scope: "catalogue:read",
  state,
  code_challenge: generators.codeChallenge(code_verifier),
  code_challenge_method: "S256",
});
// A browser with a session: it looks at the page and presses "allow".
const page = await fetch(address, { headers: { cookie: given.cookie }, redirect: "manual" });
const html = await page.text();
const form = new URLSearchParams({ answer: "allow" });
for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
  form.set(name, value.replaceAll("&amp;", "&"));
const answer = await fetch(`${given.url}/oauth/authorize`, {
  method: "POST",
  body: form,
  headers: { cookie: given.cookie, origin: given.url },
  redirect: "manual",
});
const params = client.callbackParams(answer.headers.get("location"));
const tokens = await client.oauthCallback(given.redirect, params, { code_verifier, state });
const person = await checked(tokens.access_token);
const listed = await fetch(`${given.url}/v1/products`, {
  headers: { authorization: `Bearer ${tokens.access_token}` },
});
const renewed = await client.refresh(tokens.refresh_token);
const again = await checked(renewed.access_token);
let reused = "";
try {
  await client.refresh(tokens.refresh_token);
} catch (error) {
  reused = error.error;
}

const robot = new issuer.Client({
  client_id: given.robot.id,
  client_secret: given.robot.secret,
  token_endpoint_auth_method: "client_secret_basic",
});
const own = await robot.grant({ grant_type: "client_credentials", scope: "catalogue:read" });
const machine = await checked(own.access_token);
const before = await robot.introspect(own.access_token);
await robot.revoke(own.access_token);
const after = await robot.introspect(own.access_token);

let foreign = "";
try {
  await jwtVerify(own.access_token, keys, { ...expected, audience: "another" });
} catch (error) {
  foreign = error.code;
}
console.log(
  JSON.stringify({
    state: params.state === state,
    iss: params.iss,
    header: decodeProtectedHeader(tokens.access_token),
    person,
    again,
    listed: listed.status,
    reused,
    machine,
    active: [before.active, after.active],
    foreign,
  }),
);

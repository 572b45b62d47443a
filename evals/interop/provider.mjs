// A real identity provider (npm `oidc-provider`) with a grant handler for RFC 8693, as a program.
//
//   node provider.mjs FOLDER-OF-NODE-MODULES PORT
//
// It prints its address when it answers. What it is to do otherwise is told by POST /control with JSON: `barred` people get
// no token, `life` is how long exchanged tokens count. GET /control counts the exchanges. People get the token with
// which they come to Fairlead by a grant of the tests' own, in place of a browser.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [, , modules, port] = process.argv;
const installed = (path) => import(pathToFileURL(`${modules}/${path}`).href);
const { Provider, errors } = await installed('oidc-provider/lib/index.js');
const { default: ResourceServer } = await installed('oidc-provider/lib/helpers/resource_server.js');
const jose = await installed('jose/dist/webapi/index.js');

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const PERSON = 'urn:example:person';
const issuer = `http://127.0.0.1:${port}`;
const extras = new WeakMap();
const control = { barred: [], life: 120, exchanges: 0 };
// What each service lets tokens for it do.
const services = {
  fairlead: 'use', 'https://shop.example': 'orders:read orders:write', 'https://crm.example': 'people:read',
};

const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
const key = { ...(await jose.exportJWK(privateKey)), kid: `key-${process.pid}`, alg: 'RS256', use: 'sig' };
const { kty, n, e, kid, alg, use } = key;
const known = jose.createLocalJWKSet({ keys: [{ kty, n, e, kid, alg, use }] });

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [
    client('agent', 'agents-secret', PERSON),
    client('fairlead', 's3&cret of fairlead', EXCHANGE),
  ],
  features: { devInteractions: { enabled: false } },
  scopes: ['use', 'orders:read', 'orders:write', 'people:read'],
  ttl: { AccessToken: (_, token) => token.resourceServer.accessTokenTTL },
  extraTokenClaims: (_, token) => extras.get(token),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

function client(id, secret, grant) {
  return { client_id: id, client_secret: secret, grant_types: [grant], redirect_uris: [], response_types: [] };
}

function issued(ctx, accountId, target, scope, life, extra) {
  const token = new provider.AccessToken({ accountId, client: ctx.oidc.client, gty: 'exchange', expiresWithSession: false });
  token.resourceServer = new ResourceServer(target, {
    audience: target, scope: services[target], accessTokenTTL: life, accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  });
  token.scope = scope;
  extras.set(token, extra);
  return token;
}

function refuseBarred(id) {
  if (control.barred.includes(id)) throw new errors.InvalidGrant('the person has left');
}

async function answered(ctx, token, scope, life) {
  ctx.oidc.entity('AccessToken', token);
  ctx.body = {
    access_token: await token.save(), issued_token_type: ACCESS, token_type: 'Bearer', expires_in: life, scope,
  };
}

provider.registerGrantType(PERSON, async (ctx) => {
  const { person, life } = ctx.oidc.params;
  refuseBarred(person);
  const token = issued(ctx, person, 'fairlead', 'use', Number(life || 600), { groups: ['staff'] });
  await answered(ctx, token, 'use', Number(life || 600));
}, ['person', 'life']);

provider.registerGrantType(EXCHANGE, async (ctx) => {
  control.exchanges += 1;
  const { subject_token: given, subject_token_type: kind, audience, resource, scope } = ctx.oidc.params;
  if (!given || kind !== ACCESS) throw new errors.InvalidRequest('subject_token must be an access token');
  let claims;
  try {
    ({ payload: claims } = await jose.jwtVerify(given, known, { issuer, audience: 'fairlead', typ: 'at+jwt' }));
  } catch {
    throw new errors.InvalidRequest('the subject token does not count');
  }
  refuseBarred(claims.sub);
  const target = resource || audience;
  if (!Object.hasOwn(services, target) || target === 'fairlead') throw new errors.InvalidTarget('no such service');
  const allowed = services[target].split(' ');
  const wanted = scope ? scope.split(' ') : allowed;
  if (wanted.some((each) => !allowed.includes(each))) throw new errors.InvalidScope('more than there is', scope);
  const actor = { sub: ctx.oidc.client.clientId };
  const token = issued(ctx, claims.sub, target, wanted.join(' '), control.life, { act: actor });
  await answered(ctx, token, wanted.join(' '), control.life);
}, ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope']);

provider.on('server_error', (_, error) => console.error(error));
const serve = provider.callback();
createServer((request, response) => {
  if (request.url !== '/control') {
    serve(request, response);
    return;
  }
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    Object.assign(control, JSON.parse(body || '{}'));
    response.end(JSON.stringify(control));
  });
}).listen(Number(port), '127.0.0.1', () => console.log(issuer));

import Fastify from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Authentication, addAuthentication, isOpenRoute } from "#shared/http/authenticate";
import { refuseCrossSite } from "#shared/http/refuse-cross-site";
import { keysOnly, testKey } from "#test/support/api-keys";
import { FakeClock } from "#test/support/fake-clock";

const reader = testKey(["jobs:read"], { name: "reader" });
const operator = testKey(["admin"], { name: "operator" });

/** `/mine` needs jobs:read, `/livez` nothing, `/forgotten` names no scope; refusals are kept in `refused`. */
function serve(authentication: Authentication, { basic = false } = {}) {
  const server = Fastify();
  const refused: string[] = [];
  refuseCrossSite(server);
  addAuthentication(server, authentication, {
    basic,
    outcome: "not_enqueued",
    refused: (_request, { code }) => void refused.push(code),
  });
  server.get("/mine", { config: { scope: "jobs:read" } }, async ({ caller }) => ({
    ...caller,
    scopes: undefined,
  }));
  server.post("/mine", { config: { scope: "jobs:write" } }, async () => ({ written: true }));
  server.get("/livez", async ({ caller }) => ({ name: caller.name }));
  server.get("/forgotten", async () => "open");
  onTestFinished(() => server.close());
  const ask = (headers: Readonly<Record<string, string>>, url = "/mine", remoteAddress = "203.0.113.7") =>
    server.inject({ url, headers, remoteAddress });
  return { server, refused, ask };
}

describe("with authentication off", () => {
  test("everybody is anyone, of the default tenant, whatever is sent along", async () => {
    const { ask } = serve("off");
    const answer = await ask({ authorization: "Bearer nonsense" });
    expect(answer.json()).toEqual({ keyId: null, name: "anonymous", tenant: "default" });
    expect((await ask({}, "/forgotten")).statusCode).toBe(200);
  });
});

describe("with authentication on", () => {
  test("a key says who asks", async () => {
    const { ask } = serve(keysOnly([reader]));
    const { keyId } = reader.document;
    expect((await ask(reader.bearer)).json()).toEqual({ keyId, name: "reader", tenant: "acme" });
  });

  test("whoever has no valid key is answered the same, whatever is wrong with it", async () => {
    const revoked = testKey(["admin"], { revokedAt: "2026-01-02T00:00:00.000Z" });
    const expired = testKey(["admin"], { expiresAt: "2026-01-02T00:00:00.000Z" });
    const wrong = testKey(["admin"], { keyId: reader.document.keyId });
    const unknown = testKey(["admin"]);
    const { ask, refused } = serve(keysOnly([reader, revoked, expired]));
    const headers = [
      {},
      { authorization: "Bearer x" },
      ...[revoked, expired, wrong, unknown].map((it) => it.bearer),
    ];
    const answers = await Promise.all(headers.map((it) => ask(it)));
    for (const answer of answers) {
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="sluice"');
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toEqual(answers[0]?.json());
    }
    expect(answers[0]?.json()).toMatchObject({ code: "UNAUTHENTICATED", outcome: "not_enqueued" });
    expect(refused).toEqual(headers.map(() => "UNAUTHENTICATED"));
  });

  test("the log says why and by which key id, and never what was sent", async () => {
    const lines: string[] = [];
    const wrong = testKey(["admin"], { keyId: reader.document.keyId });
    const { ask } = serve(keysOnly([reader], { lines }), { basic: true });
    const answers = [
      await ask(wrong.bearer),
      await ask(wrong.basic),
      await ask({ authorization: `Bearer ${wrong.secret}` }),
    ];
    const told = lines.map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { code: "wrong-secret", keyId: reader.document.keyId, remote: "203.0.113.7" },
      { code: "wrong-secret" },
      { code: "malformed", keyId: null },
    ]);
    const everything = `${lines.join()}${answers.map((it) => it.body + JSON.stringify(it.headers)).join()}`;
    expect(everything).not.toContain(wrong.secret);
    expect(everything).not.toContain(wrong.basic.authorization.slice("Basic ".length));
  });

  test("a scope that is missing is named; admin has them all", async () => {
    const { server, ask } = serve(keysOnly([reader, operator]));
    const write = (key: typeof reader) =>
      server.inject({ method: "POST", url: "/mine", headers: key.bearer });
    const answer = await write(reader);
    expect([answer.statusCode, answer.json()]).toMatchObject([
      403,
      { code: "SCOPE_MISSING", detail: "This needs a key with the scope jobs:write." },
    ]);
    expect((await write(operator)).statusCode).toBe(200);
    expect((await ask(operator.bearer)).statusCode).toBe(200);
  });

  test("a route that names no scope is nobody's, unless it is on the open list", async () => {
    const { ask } = serve(keysOnly([operator]));
    expect((await ask({}, "/forgotten")).statusCode).toBe(401);
    expect((await ask(operator.bearer, "/forgotten")).json()).toMatchObject({
      status: 403,
      code: "SCOPE_MISSING",
    });
    expect((await ask({}, "/livez")).json()).toEqual({ name: "nobody" });
  });

  test("only whoever has a key is told what is not there", async () => {
    const { ask } = serve(keysOnly([reader]));
    expect((await ask({}, "/nowhere")).statusCode).toBe(401);
    expect((await ask(reader.bearer, "/nowhere")).statusCode).toBe(404);
  });

  test("Basic is asked for and taken only where a browser is expected", async () => {
    const browsers = serve(keysOnly([reader]), { basic: true });
    const challenge = (await browsers.ask({})).headers["www-authenticate"];
    expect(challenge).toBe('Bearer realm="sluice", Basic realm="sluice", charset="UTF-8"');
    expect((await browsers.ask(reader.basic)).statusCode).toBe(200);
    const programs = serve(keysOnly([reader]));
    expect((await programs.ask(reader.basic)).statusCode).toBe(401);
  });

  test("a key that the copy does not have is looked up once more", async () => {
    const known = keysOnly([reader]);
    const { ask } = serve({ ...known, keys: { find: () => null, lookUp: known.keys.lookUp } });
    expect((await ask(reader.bearer)).json()).toMatchObject({ name: "reader" });
    expect((await ask(operator.bearer)).statusCode).toBe(401);
  });

  test("a secret that the copy does not have is looked up once more: it may have been rotated just now", async () => {
    const rotated = testKey(["jobs:read"], { keyId: reader.document.keyId, name: "rotated" });
    const find = () => reader.held;
    let looks = 0;
    const lookUp = async () => {
      looks += 1;
      return rotated.held;
    };
    const { ask } = serve({ ...keysOnly([]), keys: { find, lookUp } });
    expect((await ask(rotated.bearer)).json()).toMatchObject({ name: "rotated" });
    expect((await ask(reader.bearer)).json()).toMatchObject({ name: "reader" });
    expect(looks).toBe(1);
  });

  test("a key that cannot be looked up is neither let in nor called wrong", async () => {
    const keys = { find: () => null, lookUp: () => Promise.reject(new Error("away")) };
    const { ask, refused } = serve({ ...keysOnly([]), keys });
    const answer = await ask(reader.bearer);
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "1"]);
    expect(answer.json()).toMatchObject({ code: "REDIS_UNAVAILABLE", outcome: "not_enqueued" });
    expect(refused).toEqual(["REDIS_UNAVAILABLE"]);
  });

  test("an address with twenty refusals is told when to come back, and its neighbour's key is let in", async () => {
    const clock = new FakeClock();
    const lines: string[] = [];
    let looks = 0;
    const known = keysOnly([reader], { clock, lines });
    const keys = {
      find: known.keys.find,
      lookUp: async () => {
        looks += 1;
        return null;
      },
    };
    const { ask } = serve({ ...known, keys });
    for (let n = 0; n < 20; n += 1) expect((await ask(operator.bearer)).statusCode).toBe(401);
    const braked = await ask(operator.bearer);
    expect([braked.statusCode, braked.headers["retry-after"]]).toEqual([429, "60"]);
    expect(braked.json().code).toBe("CREDENTIALS_REFUSED_TOO_OFTEN");
    // Twenty questions and twenty lines; what is braked costs neither.
    expect([looks, lines.length]).toEqual([20, 20]);
    expect((await ask(reader.bearer)).statusCode).toBe(200);
    expect((await ask({})).statusCode).toBe(401);
    expect((await ask(operator.bearer, "/mine", "203.0.113.8")).statusCode).toBe(401);
    await clock.advance(60_000);
    expect((await ask(operator.bearer)).statusCode).toBe(401);
  });
});

describe("the open list", () => {
  test.each(["/livez", "/readyz", "/openapi.json", "/docs", "/docs/static/*", "/style.css"])(
    "has %s",
    (url) => {
      expect(isOpenRoute(url)).toBe(true);
    },
  );

  test.each(["", "/", "/metrics", "/v1/jobs", "/docsx", "/v1/docs/", "/livez/x", "/raw/static/*"])(
    "does not have %j",
    (url) => {
      expect(isOpenRoute(url)).toBe(false);
    },
  );
});

describe("a write", () => {
  const write = (headers: Readonly<Record<string, string>>) =>
    serve("off").server.inject({
      method: "POST",
      url: "/mine",
      headers: { host: "ops.example:7701", ...headers },
    });

  test.each([
    {},
    { "sec-fetch-site": "same-origin", origin: "http://ops.example:7701" },
    { "sec-fetch-site": "none" },
    { origin: "https://ops.example:7701" },
    { origin: "http://OPS.example:7701" },
  ])("is taken from a program or the own site: %o", async (headers) => {
    expect((await write(headers)).statusCode).toBe(200);
  });

  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "" },
    { "sec-fetch-site": "same-origin", origin: "http://evil.example" },
    { origin: "http://ops.example" },
    { origin: "http://ops.example:7701.evil.example" },
    { origin: "null" },
    { origin: "" },
  ])("is refused from another site: %o", async (headers) => {
    const answer = await write(headers);
    expect([answer.statusCode, answer.json().code]).toEqual([403, "CROSS_SITE_REFUSED"]);
  });

  test("is what is refused; a look from another site is not", async () => {
    const answer = await serve("off").ask({ "sec-fetch-site": "cross-site" });
    expect(answer.statusCode).toBe(200);
  });
});

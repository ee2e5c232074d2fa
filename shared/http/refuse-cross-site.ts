/**
 * Refuses writes that a page of another site has a browser send.
 *
 * A browser adds the credentials of Basic by itself, whoever asks it to send the request; only what it says
 * of the asker tells them apart. It says so in `Sec-Fetch-Site` (W3C Fetch Metadata) and, for writes, in
 * `Origin`. Programs send neither and are not asked for them.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { problemOf } from "./problem.ts";
import { sendProblem } from "./send-problem.ts";

/** Of this site, or typed by the person. */
const OWN_SITE = new Set(["same-origin", "none"]);

export function refuseCrossSite(server: FastifyInstance): void {
  server.addHook("onRequest", (request, reply, done) => {
    if (request.method === "GET" || request.method === "HEAD" || isOwnSite(request)) return done();
    sendProblem(reply, CROSS_SITE_REFUSED);
  });
}

function isOwnSite({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && !(typeof site === "string" && OWN_SITE.has(site))) return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  // The scheme is not compared: behind a proxy that ends TLS it is another one here than in the browser.
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

const CROSS_SITE_REFUSED = problemOf({
  status: 403,
  code: "CROSS_SITE_REFUSED",
  title: "Not from another site",
  detail: "A browser says that a page of another site asks for this; only this API's own pages may.",
});

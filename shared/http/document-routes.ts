/**
 * Brings a server's routes and an API's operations together, and shows them: `GET /openapi.json` and `/docs`.
 *
 * The document is made of what is really registered: an operation without a route is not in it, and a route
 * without an operation is named by `undocumented`, which a test holds empty. Nothing here touches a request
 * to another route: the pages have a scope of their own, and the document is made when it is first asked
 * for.
 *
 * The pages are Swagger UI from the package itself. Its policy lets it load from this server only, and it
 * runs without inline scripts and styles.
 */
import { readFileSync } from "node:fs";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import type { Scope } from "../auth/caller.ts";
import { type DocumentedRoute, type OpenApiDocument, openApiDocument } from "./openapi-document.ts";
import type { ApiDescription } from "./operation.ts";

export const DOCS_PATH = "/docs";

declare module "fastify" {
  interface FastifyInstance {
    documentedRoutes: DocumentedRoutes;
  }
}

/** Nothing from another host, nothing inline, no frame around it. */
const DOCS_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const DOCS_HEADERS = {
  "content-security-policy": DOCS_CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export interface RegisteredRoute extends DocumentedRoute {
  /** What the route itself asks for. */
  readonly scope: Scope | null;
}

export class DocumentedRoutes {
  readonly #api: ApiDescription;
  readonly #undescribed: (path: string) => boolean;
  readonly #routes: RegisteredRoute[] = [];
  readonly #undocumented: string[] = [];
  #document: OpenApiDocument | null = null;

  /** @param undescribed says of a path that it is not a part of the API, such as a page and its parts. */
  constructor(api: ApiDescription, undescribed: (path: string) => boolean) {
    this.#api = api;
    this.#undescribed = undescribed;
  }

  get routes(): readonly RegisteredRoute[] {
    return this.#routes;
  }

  /** Routes, as `METHOD /path`, that no operation describes. */
  get undocumented(): readonly string[] {
    return this.#undocumented;
  }

  /** Operations that no route carries out. */
  get unrouted(): readonly string[] {
    const routed = new Set(this.#routes.map(({ method, path }) => `${method} ${path}`));
    return Object.keys(this.#api.operations).filter((name) => !routed.has(name));
  }

  get document(): OpenApiDocument {
    this.#document ??= openApiDocument(this.#api, this.#inOrder(), packageVersion());
    return this.#document;
  }

  /** As the operations stand, whatever order the routes were added in. */
  #inOrder(): readonly DocumentedRoute[] {
    const order = Object.keys(this.#api.operations);
    const rank = ({ method, path }: DocumentedRoute) => order.indexOf(`${method} ${path}`);
    return [...this.#routes].sort((a, b) => rank(a) - rank(b));
  }

  /** Adds the operation to the routes that are added from now on. */
  follow(server: FastifyInstance): void {
    server.addHook("onRoute", (route) => {
      for (const method of [route.method].flat()) {
        // Fastify answers HEAD wherever it answers GET.
        if (method === "HEAD" || this.#undescribed(route.url)) continue;
        const path = route.url.replace(/:(\w+)/g, "{$1}");
        const operation = this.#api.operations[`${method} ${path}`];
        if (operation === undefined) {
          this.#undocumented.push(`${method} ${path}`);
          continue;
        }
        this.#routes.push({ method, path, operation, scope: route.config?.scope ?? null });
        route.config = { ...route.config, operation };
      }
    });
  }
}

export interface DocumentOptions {
  /** Paths that are no part of the API; the documents' own are none either. */
  readonly undescribed?: (path: string) => boolean;
}

/** Call it before the routes are added. */
export function documentRoutes(
  server: FastifyInstance,
  api: ApiDescription,
  { undescribed = () => false }: DocumentOptions = {},
): DocumentedRoutes {
  const isDocs = (path: string) => path === DOCS_PATH || path.startsWith(`${DOCS_PATH}/`);
  const routes = new DocumentedRoutes(api, (path) => isDocs(path) || undescribed(path));
  server.decorate("documentedRoutes", routes);
  routes.follow(server);
  let text: string | null = null;
  server.get("/openapi.json", async (_request, reply) => {
    text ??= JSON.stringify(routes.document);
    return reply.type("application/json; charset=utf-8").send(text);
  });
  server.register((scope, _options, done) => {
    addPages(scope, routes);
    done();
  });
  return routes;
}

function addPages(scope: FastifyInstance, routes: DocumentedRoutes): void {
  scope.addHook("onRequest", (_request, reply, done) => {
    reply.headers(DOCS_HEADERS);
    done();
  });
  // A stand-in: the pages ask for the document when somebody looks at them.
  scope.register(swagger, {
    mode: "static",
    specification: { document: { openapi: "3.1.0" } as never },
  });
  scope.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    logo: null as never,
    theme: { title: "Sluice API" },
    uiConfig: { layout: "BaseLayout", validatorUrl: null, deepLinking: true, displayRequestDuration: true },
    transformSpecification: () => routes.document,
    transformSpecificationClone: false,
  });
}

/** The version of the package that this file is a part of, as source and as built. */
function packageVersion(): string {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")).version;
    } catch {
      // Built files lie one folder deeper.
    }
  }
  return "0.0.0";
}

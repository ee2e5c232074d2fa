/**
 * Turns operations into an OpenAPI 3.1 document. Pure: it knows no server.
 *
 * Schemas of requests are shown as a client may write them, schemas of answers as they come. A refusal is a
 * problem narrowed to its status and its codes, so that a tool can check which ones a route really gives.
 * Sequences have no word in 3.1: their items are described by `x-item-schema`, their form by `x-framing`.
 */
import { z } from "zod";
import type { JsonSchema } from "../contracts/wire-schema.ts";
import {
  type Answer,
  type ApiDescription,
  type Content,
  componentNames,
  isSequence,
  joinedRefusals,
  type Operation,
} from "./operation.ts";
import { problemSchema } from "./problem-schema.ts";

/** A route as a server has it. */
export interface DocumentedRoute {
  /** Upper case. */
  readonly method: string;
  /** With parameters as `{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, object>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export type OpenApiContent = Readonly<Record<string, OpenApiMedia>>;

export interface OpenApiMedia {
  readonly schema: JsonSchema;
  readonly "x-framing"?: "lines" | "events";
  readonly "x-item-schema"?: JsonSchema;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly content?: OpenApiContent;
}

/** @throws {Error} when one component name stands for two different schemas. */
export function openApiDocument(
  api: ApiDescription,
  routes: readonly DocumentedRoute[],
  version: string,
): OpenApiDocument {
  const schemas = new ComponentSchemas();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const { method, path, operation } of routes) {
    const ofPath = paths[path] ?? {};
    paths[path] = { ...ofPath, [method.toLowerCase()]: operationObject(api, operation, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: { title: api.title, version, description: api.description },
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map((it) => it.operation.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer", description: "An API key." } },
      schemas: schemas.all(),
    },
  };
}

function operationObject(
  api: ApiDescription,
  operation: Operation,
  schemas: ComponentSchemas,
): OpenApiOperation {
  const { operationId, summary, description, tag, scope, params, query, headers, body } = operation;
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    tags: [tag],
    security: scope === null ? [] : [{ apiKey: [scope] }],
    parameters: [
      ...parametersOf("path", params, schemas),
      ...parametersOf("query", query, schemas),
      ...parametersOf("header", headers, schemas),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: operation.bodyIsOptional !== true,
        content: contentOf(body, "input", schemas),
      },
    }),
    responses: responsesOf(api, operation, schemas),
  };
}

function parametersOf(
  place: OpenApiParameter["in"],
  object: z.ZodObject | undefined,
  schemas: ComponentSchemas,
): readonly OpenApiParameter[] {
  return Object.entries(object?.shape ?? {}).map(([name, parameter]) => {
    const { description, ...schema } = schemas.schemaOf(parameter as z.ZodType, "input");
    return {
      name,
      in: place,
      required: place === "path" || !(parameter as z.ZodType).safeParse(undefined).success,
      ...(typeof description === "string" && { description }),
      schema,
    };
  });
}

function responsesOf(
  api: ApiDescription,
  operation: Operation,
  schemas: ComponentSchemas,
): Readonly<Record<string, OpenApiResponse>> {
  const refusals = joinedRefusals(
    api.refusalsEverywhere,
    operation.params === undefined ? {} : api.refusalsWithParams,
    operation.scope === null ? {} : api.refusalsWithScope,
    operation.refusals,
  );
  const answered = Object.entries(operation.answers).map(([status, answer]) => [
    status,
    answerObject(answer, schemas),
  ]);
  const refused = Object.entries(refusals).map(([status, codes]) => {
    const response = refusalObject(Number(status), codes, operation, schemas);
    const answer = operation.answers[Number(status)];
    return [status, answer === undefined ? response : bothOf(answerObject(answer, schemas), response)];
  });
  return Object.fromEntries([...answered, ...refused]);
}

/** A status with which a route both answers and refuses, such as 503 of `/readyz`. */
function bothOf(answer: OpenApiResponse, refusal: OpenApiResponse): OpenApiResponse {
  return { ...refusal, ...answer, content: { ...answer.content, ...refusal.content } };
}

function answerObject({ description, headers, content }: Answer, schemas: ComponentSchemas): OpenApiResponse {
  return {
    description,
    ...(headers !== undefined && { headers: headerObjects(headers) }),
    ...(content !== undefined && { content: contentOf(content, "output", schemas) }),
  };
}

function headerObjects(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: "string" } as const },
    ]),
  );
}

function refusalObject(
  status: number,
  codes: readonly string[],
  operation: Operation,
  schemas: ComponentSchemas,
): OpenApiResponse {
  const narrowed = {
    properties: { status: { const: status }, code: { enum: [...codes] } },
    ...(operation.enqueues === true && { required: ["outcome"] }),
  };
  const waits = status === 429 || status === 503;
  const schema = { allOf: [schemas.schemaOf(problemSchema, "output"), narrowed] };
  return {
    description: codes.map((it) => `\`${it}\``).join(", "),
    ...(waits && { headers: headerObjects({ "Retry-After": "Whole seconds after which to try again." }) }),
    content: { "application/problem+json": { schema } },
  };
}

function contentOf(
  content: Readonly<Record<string, Content>>,
  side: "input" | "output",
  schemas: ComponentSchemas,
): OpenApiContent {
  return Object.fromEntries(
    Object.entries(content).map(([type, it]): [string, OpenApiMedia] => {
      if (!isSequence(it)) return [type, { schema: schemas.schemaOf(it, side) }];
      const item = schemas.schemaOf(it.item, side);
      return [type, { schema: { type: "string" }, "x-framing": it.framing, "x-item-schema": item }];
    }),
  );
}

/** The named schemas met so far, moved out of the schemas that use them. */
class ComponentSchemas {
  readonly #named = new Map<string, JsonSchema>();

  all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  schemaOf(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    const {
      $schema: _,
      $defs,
      ...rest
    } = relinked(
      z.toJSONSchema(schema, {
        metadata: componentNames,
        target: "draft-2020-12",
        io,
        unrepresentable: "any",
        override: ({ zodSchema, jsonSchema }) => {
          delete jsonSchema.id;
          const described = z.globalRegistry.get(zodSchema as unknown as z.ZodType)?.description;
          if (described !== undefined) jsonSchema.description = described;
        },
      }),
    ) as Record<string, unknown>;
    for (const [id, it] of Object.entries($defs ?? {})) this.#keep(id, it);
    return rest;
  }

  #keep(id: string, schema: JsonSchema): void {
    const known = this.#named.get(id);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(
        `The component ${id} stands for two schemas: one that is written and one that is read.`,
      );
    }
    this.#named.set(id, schema);
  }
}

/** A copy whose references lead to `components/schemas`. */
function relinked(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relinked);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) =>
      name === "$ref" && typeof value === "string"
        ? [name, value.replace("#/$defs/", "#/components/schemas/")]
        : [name, relinked(value)],
    ),
  );
}

/** What is wrong with an OpenAPI document itself: schemas that do not compile, references into nothing. */
import type { OpenApiContent, OpenApiDocument } from "#shared/http/openapi-document";
import { DocumentChecks } from "./document-checks.ts";

/** One sentence each. */
export function documentProblems(document: OpenApiDocument): readonly string[] {
  const checks = new DocumentChecks(document);
  return schemaPlaces(document).flatMap((steps) => {
    try {
      checks.compile(steps);
      return [];
    } catch (error) {
      return [`${steps.join(" > ")}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

function schemaPlaces(document: OpenApiDocument): readonly (readonly string[])[] {
  const components = Object.keys(document.components.schemas).map((id) => ["components", "schemas", id]);
  const inPaths = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters, requestBody, responses }]) => {
      const at = ["paths", path, method];
      return [
        ...parameters.map((_parameter, index) => [...at, "parameters", String(index), "schema"]),
        ...contentPlaces([...at, "requestBody"], requestBody?.content),
        ...Object.entries(responses).flatMap(([status, response]) =>
          contentPlaces([...at, "responses", status], response.content),
        ),
      ];
    }),
  );
  return [...components, ...inPaths];
}

function contentPlaces(at: readonly string[], content: OpenApiContent | undefined) {
  return Object.entries(content ?? {}).flatMap(([type, media]) => [
    [...at, "content", type, "schema"],
    ...("x-item-schema" in media ? [[...at, "content", type, "x-item-schema"]] : []),
  ]);
}

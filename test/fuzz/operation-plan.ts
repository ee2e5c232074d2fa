/** What the fuzzer needs of each operation of a document, worked out once: samples of everything it takes. */
import { generateSamples } from "#shared/contracts/compatibility/generate-samples";
import type { JsonSchema } from "#shared/contracts/wire-schema";
import type { OpenApiDocument, OpenApiOperation, OpenApiParameter } from "#shared/http/openapi-document";

const BODY_SAMPLES = 60;
const PARAMETER_SAMPLES = 12;

export interface PlannedBody {
  readonly contentType: string;
  readonly isLines: boolean;
  /** Of a body, or of a line of it. */
  readonly samples: readonly unknown[];
}

export interface PlannedParameter {
  readonly name: string;
  readonly place: OpenApiParameter["in"];
  readonly required: boolean;
  readonly samples: readonly string[];
}

export interface OperationPlan {
  /** `METHOD /path/{parameter}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly PlannedParameter[];
  readonly bodies: readonly PlannedBody[];
}

export function planOf(document: OpenApiDocument): readonly OperationPlan[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters: operation.parameters.map((it) => plannedParameter(it, document)),
      bodies: plannedBodies(operation, document),
    })),
  );
}

function plannedParameter(
  { name, in: place, required, schema }: OpenApiParameter,
  document: OpenApiDocument,
) {
  const samples = samplesOf(schema, PARAMETER_SAMPLES, document).map((it) => String(it));
  return { name, place, required, samples };
}

function plannedBodies({ requestBody }: OpenApiOperation, document: OpenApiDocument): readonly PlannedBody[] {
  return Object.entries(requestBody?.content ?? {}).map(([contentType, media]) => ({
    contentType,
    isLines: media["x-framing"] === "lines",
    samples: samplesOf(media["x-item-schema"] ?? media.schema, BODY_SAMPLES, document),
  }));
}

/** With the components beside it, so that its references lead somewhere. */
function samplesOf(schema: JsonSchema, count: number, { components }: OpenApiDocument): readonly unknown[] {
  return generateSamples({ ...schema, components } as JsonSchema, count, 1);
}

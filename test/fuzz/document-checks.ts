/** Checks compiled from an OpenAPI document: is a body what the document says of this route and status? */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import * as formats from "ajv-formats";
import type { OpenApiDocument } from "#shared/http/openapi-document";

const DOCUMENT = "https://document.invalid/openapi";

export class DocumentChecks {
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true, logger: false });
    formats.default.default(this.#ajv);
    this.#ajv.addSchema({ $id: DOCUMENT, ...document } as object);
  }

  /**
   * @param steps the way to the schema from the top of the document.
   * @throws {Error} when there is no schema there, or one that does not compile.
   */
  compile(steps: readonly string[]): ValidateFunction {
    const pointer = steps.map((it) => `/${it.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    const known = this.#compiled.get(pointer);
    if (known !== undefined) return known;
    const check = this.#ajv.compile({ $ref: `${DOCUMENT}#${encodeURI(pointer)}` });
    this.#compiled.set(pointer, check);
    return check;
  }

  /** What is wrong with `value`, in words; `null` when it fits. */
  problem(steps: readonly string[], value: unknown): string | null {
    const check = this.compile(steps);
    if (check(value)) return null;
    return this.#ajv.errorsText(check.errors, { dataVar: "body" });
  }
}

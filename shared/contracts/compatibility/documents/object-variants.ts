/** Objects that differ from a small one in one property: there or not, or with another value. */
import { firstOf } from "./distinct.ts";
import { ANY } from "./linked-schema.ts";
import { isSamePlace, type Place, piecesOf, propertyPlace } from "./place.ts";
import { samplesOfPattern } from "./strings-of-pattern.ts";
import { type Scene, type Variant, variantOf } from "./variant.ts";
import { fullestOf, possibleNames, smallestOf, smallestWay, spareNames } from "./whole-documents.ts";

/** Undeclared names tried in an object that allows them, and their number where names themselves have rules. */
const SPARE_MAX = 3;
const SPARE_WITH_RULES_MAX = 60;
/** Properties taken out of a full object, one at a time. */
const TAKEN_OUT_MAX = 50;
/** No object gets more properties than this to be too large for a reader. */
const PROPERTIES_MAX = 300;

type Fields = Readonly<Record<string, unknown>>;

export function objectVariants(scene: Scene): readonly Variant[] {
  const smallest = smallestWay(scene.place.writer, scene.alternative, "object");
  if (smallest === null) return [];
  const base = smallest.value as Fields;
  const names = namesOf(scene);
  const whole = [base, ...withOneMore(base, names, scene), ...withOneLess(scene), ...withMany(base, scene)];
  return [...whole.map((value) => variantOf(value, scene.place)), ...withOtherValues(base, names, scene)];
}

function namesOf({ alternative, pieces }: Scene): string[] {
  const declared = alternative.declaredNames();
  const ofReader = pieces.flatMap((piece) => [
    ...piece.properties.keys(),
    ...piece.required,
    ...piece.patternProperties.flatMap(([pattern]) => samplesOfPattern(pattern)),
  ]);
  const hasRules = [...alternative.parts, ...pieces].some(
    ({ propertyNames, patternProperties }) => propertyNames !== null || patternProperties.length > 0,
  );
  const rulesOfReader = piecesOf(pieces.flatMap((piece) => piece.propertyNames ?? []));
  const spare = firstOf(hasRules ? SPARE_WITH_RULES_MAX : SPARE_MAX, spareNames(alternative, rulesOfReader));
  return [...new Set([...declared, ...ofReader, ...spare])];
}

function withOneMore(base: Fields, names: readonly string[], { alternative }: Scene): Fields[] {
  return names
    .filter((name) => !Object.hasOwn(base, name))
    .flatMap((name) => {
      const found = smallestOf(alternative.property(name));
      return found === null ? [] : [{ ...base, [name]: found.value }];
    });
}

/** From a full object, because a reader's branch may need all the others. */
function withOneLess({ alternative }: Scene): Fields[] {
  const full = fullestOf({ ...ANY, allOf: alternative.parts, types: new Set(["object"]), text: null });
  if (full === null) return [];
  const fields = full.value as Fields;
  const required = new Set(alternative.requiredNames());
  const optional = Object.keys(fields).filter((name) => !required.has(name));
  const less = optional.slice(0, TAKEN_OUT_MAX).map((name) => {
    const { [name]: _taken, ...others } = fields;
    return others;
  });
  return [fields, ...less];
}

/** As many properties as a limit of either side speaks of, or one more or less. */
function withMany(base: Fields, scene: Scene): Fields[] {
  const { alternative, pieces } = scene;
  const limits = pieces.flatMap(({ minProperties, maxProperties }) => [minProperties - 1, maxProperties + 1]);
  const own = [
    alternative.most((part) => part.minProperties),
    alternative.least((part) => part.maxProperties),
  ];
  const counts = new Set([...limits, ...own]);
  const possible = [...counts].filter((count) => count > Object.keys(base).length && count <= PROPERTIES_MAX);
  return possible.map((count) => filledUp(base, count, scene));
}

function filledUp(base: Fields, count: number, { alternative }: Scene): Fields {
  const fields = new Map(Object.entries(base));
  for (const name of possibleNames(alternative)) {
    if (fields.size >= count) break;
    const found = fields.has(name) ? null : smallestOf(alternative.property(name));
    if (found !== null) fields.set(name, found.value);
  }
  return Object.fromEntries(fields);
}

/** Of names with one and the same schema on both sides, as a record has many, one is enough. */
function withOtherValues(base: Fields, names: readonly string[], scene: Scene): Variant[] {
  const seen: Place[] = [];
  return names.flatMap((name) => {
    const place = propertyPlace(scene.alternative.property(name), scene.pieces, name);
    if (place.writer.never || seen.some((it) => isSamePlace(it, place))) return [];
    seen.push(place);
    return scene.within(place).map(({ value, refused }) => ({ value: { ...base, [name]: value }, refused }));
  });
}

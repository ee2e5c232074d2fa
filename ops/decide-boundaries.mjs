/** Judges what dependency-cruiser found. */

/**
 * Fewer of our own modules than this, and the cruise did not see the house: with a TypeScript it does not
 * know, dependency-cruiser reads no .ts file at all and reports no violations. Raise it as the house grows,
 * to about four fifths of what check-boundaries says it saw.
 */
export const MODULES_MIN = 250;

/**
 * The verdict on dependency-cruiser's JSON output: `modulesCount`, of those in `folders`, and `problems`,
 * each a text to show. No problems: the boundaries hold.
 */
export function judgeCruise(cruise, folders, modulesMin = MODULES_MIN) {
  const isOurs = ({ source }) => folders.some((folder) => source.startsWith(`${folder}/`));
  const modulesCount = cruise.modules.filter(isOurs).length;
  const { violations, ruleSetUsed } = cruise.summary;

  const brokenRules = new Set(violations.map((violation) => violation.rule.name));
  const problems = [...brokenRules].map((name) => {
    const comment = ruleSetUsed?.forbidden?.find((rule) => rule.name === name)?.comment;
    const breaches = violations.filter((violation) => violation.rule.name === name).map(describeBreach);
    return [comment ? `${name}: ${comment}` : name, ...breaches].join("\n    ");
  });
  if (modulesCount < modulesMin) {
    problems.push(
      `Only ${modulesCount} modules were seen of at least ${modulesMin}, so sources went unread. ` +
        "Is the TypeScript in node_modules one that dependency-cruiser knows?",
    );
  }
  return { modulesCount, problems };
}

function describeBreach({ from, to, cycle }) {
  return cycle ? [from, ...cycle.map((step) => step.name ?? step)].join(" -> ") : `${from} -> ${to}`;
}

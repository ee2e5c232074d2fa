/** Which Node is new enough. Old syntax on purpose: a Node that is too old must be able to say so. */

/** The oldest Node that all our packages run on; `engines` in package.json says the same. */
const NODE_MAJOR_MIN = 20;
const NODE_MINOR_MIN = 19;

/** What is wrong with this Node, as a sentence for its user, or `null` when it will do. */
export function nodeProblem(version) {
  const parts = version.split(".").map(Number);
  const isEnough = parts[0] > NODE_MAJOR_MIN || (parts[0] === NODE_MAJOR_MIN && parts[1] >= NODE_MINOR_MIN);
  if (isEnough) return null;
  const wanted = `${NODE_MAJOR_MIN}.${NODE_MINOR_MIN}`;
  return `Sluice needs Node ${wanted} or newer, and this is Node ${version}. Install a newer one.`;
}

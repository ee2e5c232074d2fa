/** Are the installed packages those of the lock file? */

/**
 * Why packages must be installed, as a clause, or `null` when what is there will do.
 *
 * `wanted` is package-lock.json; `installed` is node_modules/.package-lock.json, which npm writes when an
 * install has ended well, so that `null` (none) also means one that was interrupted. Comparing these
 * two rather than keeping a mark of our own also accepts an install made by hand. Packages beyond the lock
 * file are left alone: somebody put them there to try something.
 */
export function packagesProblem(wanted, installed) {
  if (installed === null) return "none are installed";
  for (const [path, want] of Object.entries(wanted.packages)) {
    // "" is this package itself.
    if (path === "" || want.link) continue;
    const problem = packageProblem(path, want, installed.packages?.[path]);
    if (problem !== null) return problem;
  }
  return null;
}

function packageProblem(path, want, have) {
  if (have === undefined) {
    // npm leaves out optional packages that are built for another platform.
    return want.optional ? null : `${path} is missing`;
  }
  if (have.version !== want.version)
    return `${path} is ${have.version}, not ${want.version} as in package-lock.json`;
  return have.integrity === want.integrity ? null : `${path} is not the one that package-lock.json names`;
}

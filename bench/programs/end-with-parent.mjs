/** Ends the process on SIGTERM and when the bench is gone. */
export function endWithParent() {
  process.once("SIGTERM", () => process.exit(0));
  process.once("disconnect", () => process.exit(0));
}

/** A process that plays the cells it is sent, one after the other, until its parent lets go of it. */
import type { CellTask } from "./cells.ts";
import { runCell } from "./run-cell.ts";

process.on("message", (task: CellTask) => {
  runCell(task).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ problem: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on("disconnect", () => process.exit());

/** A job on its way into a lane, as text and numbers: nothing of it is interpreted any more. */
export interface QueuedJob {
  readonly jobId: string;
  /** The job type; BullMQ's job name. */
  readonly name: string;
  /** The envelope as JSON text. */
  readonly dataText: string;
  /** When the job was accepted, in milliseconds since the Unix epoch. */
  readonly acceptedAtMs: number;
  /** How long it shall wait before it is due, in milliseconds; 0 for at once. */
  readonly delayMs: number;
}

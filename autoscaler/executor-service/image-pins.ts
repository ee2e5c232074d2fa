/**
 * Which image a release is, kept on disk from the first look on: a tag that is moved later does not change a release
 * under its workers.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigInvalidError } from "#shared/errors";
import type { Log } from "#shared/log";
import type { DockerEngine } from "./docker-engine.ts";
import { EngineError } from "./docker-engine.ts";
import type { ReleaseTemplate } from "./templates.ts";

const pinned = z.record(z.string(), z.strictObject({ image: z.string(), imageId: z.string() }));

export interface ImagePinsPorts {
  readonly directory: string;
  readonly engine: Pick<DockerEngine, "imageId" | "pull">;
  readonly log: Log;
  /** Whether an image that the engine does not have is pulled. */
  readonly pull: "missing" | "never";
}

export class ImagePins {
  readonly #ports: ImagePinsPorts;
  readonly #path: string;
  #pins: z.output<typeof pinned>;

  /** @throws {ConfigInvalidError} when the file cannot be read as pins. */
  constructor(ports: ImagePinsPorts) {
    this.#ports = ports;
    this.#path = join(ports.directory, "images.json");
    this.#pins = readPins(this.#path);
  }

  /** @throws {ConfigInvalidError} for a release whose image is another than when it was first seen. */
  requireSame(releases: Iterable<ReleaseTemplate>): void {
    const problems = [...releases].flatMap(({ release, image }) => {
      const pin = this.#pins[release];
      if (pin === undefined || pin.image === image) return [];
      return [
        `releases: ${release} was ${pin.image} and is ${image} now; a new image needs a new release id`,
      ];
    });
    if (problems.length > 0) throw new ConfigInvalidError("The configuration", problems);
  }

  /** The exact image of a release, pinned with the first call. @throws {EngineError} when there is none. */
  async idOf({ release, image }: ReleaseTemplate): Promise<string> {
    const pin = this.#pins[release];
    if (pin !== undefined) return pin.imageId;
    const { engine, log, pull } = this.#ports;
    let imageId = await engine.imageId(image);
    if (imageId === null && pull === "missing") {
      log.info({ release, image }, "image is pulled");
      await engine.pull(image);
      imageId = await engine.imageId(image);
    }
    if (imageId === null) throw new EngineError(`the engine has no image ${image}`, 404);
    this.#pins = { ...this.#pins, [release]: { image, imageId } };
    const draft = `${this.#path}.tmp`;
    writeFileSync(draft, JSON.stringify(this.#pins), { mode: 0o600 });
    renameSync(draft, this.#path);
    log.info({ release, image, imageId }, "release is pinned to its image");
    return imageId;
  }
}

function readPins(path: string): z.output<typeof pinned> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return {};
  }
  try {
    return pinned.parse(JSON.parse(text));
  } catch {
    throw new ConfigInvalidError(path, [
      "it cannot be read as the images of releases; remove it to pin them anew",
    ]);
  }
}

import { BEFORE_FIRST, type TopicInfo } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { AMPLE } from "./contents.ts";
import { ok, refused } from "./outcome.ts";
import { need, useRig } from "./rig.ts";
import { ownerIsWhereItWas, type Scene, setScene, type Trace, tracesOf } from "./scene.ts";
import type { PortsConformance, Site } from "./target.ts";

/** In the order of {@link tracesOf}. */
const PLACES = [
  "the first destination",
  "the last destination",
  "the first writers' table",
  "the last writers' table",
  "the first store",
  "the last store",
  "the due times of the first store",
  "the due times of the last store",
];

/** A scene whose next commit was refused because of a foreign type. */
interface RefusedScene {
  readonly at: Scene;
  readonly foreign: Site;
  readonly traces: readonly Trace[];
}

/**
 * `Tasks.commit` where a key holds a foreign type. Scripts do not roll back: wherever it is found, nothing may have been
 * written before.
 */
export function describeForeignTypes(spec: PortsConformance): void {
  describe("commit that meets a foreign type", () => {
    const rig = useRig(spec);

    /** The scene after its next commit was refused because of a foreign type at the trace numbered `place`. */
    async function refusedScene(place: number, skip: (reason: string) => never): Promise<RefusedScene> {
      const corrupt = need(rig.target.corrupt, skip);
      const at = await setScene(rig);
      const traces = tracesOf(rig, at);
      const foreign = traces[place]?.site;
      if (foreign === undefined) {
        throw new Error(`there is no trace ${place}`);
      }
      await corrupt(foreign);
      await refused(rig.ports.tasks.commit(at.next), "WrongType");
      return { at, foreign, traces };
    }

    for (const [n, place] of PLACES.entries()) {
      it(`in place of ${place} is refused and leaves nothing`, async ({ skip }) => {
        const { at, foreign, traces } = await refusedScene(n, skip);
        for (const trace of traces.filter(({ site }) => !hides(foreign, site))) {
          await trace.absent();
        }
        await ownerIsWhereItWas(rig, at);
      });
    }

    it("in place of a writers' table leaves nothing in that topic's log", async ({ skip }) => {
      const { at } = await refusedScene(3, skip);
      // `times` cannot speak of the topic any more; its log can still be read.
      const reader = rig.ports.log.reader(at.outputs[1], 0, BEFORE_FIRST);
      expect((await ok(() => reader.next(AMPLE))).records).toEqual([]);
      reader.close();
    });
  });
}

/** Whether a foreign type at `foreign` makes it impossible to look at `site`. */
function hides(foreign: Site, site: Site): boolean {
  const topic = topicOf(foreign);
  const hasItsDues = foreign.kind === "store" && site.kind === "dues" && foreign.store === site.store;
  return foreign === site || hasItsDues || (topic !== null && topic === topicOf(site));
}

/** The topic whose `times` a foreign type at `site` makes unreadable. */
function topicOf(site: Site): TopicInfo | null {
  return site.kind === "partition" || site.kind === "writers" ? site.topic : null;
}

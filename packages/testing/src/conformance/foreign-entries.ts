import { describe, expect, it } from "vitest";
import { contents } from "./contents.ts";
import { ok } from "./outcome.ts";
import { appendOf, record } from "./requests.ts";
import { need, useRig } from "./rig.ts";
import type { PortsConformance } from "./target.ts";

const CASES: readonly (readonly [string, readonly number[]])[] = [
  ["text", [...Buffer.from("somebody else's, 東京 🚂")]],
  ["a replacement character that was written", [...Buffer.from("a\uFFFDb")]],
  ["half of a character", [0x61, 0xe6, 0x9d]],
  ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
  ["no text at all", [0xff, 0xfe, 0x00, 0x80, 0xc0]],
  ["nothing", []],
  ["every byte", Array.from({ length: 256 }, (_, byte) => byte)],
];

/** What lies in the log and is no record is returned in its place, to the byte. */
export function describeForeignEntries(spec: PortsConformance): void {
  describe("an entry that is no record", () => {
    const rig = useRig(spec);

    it.for(CASES)(
      "is returned with its problem, between its neighbours and to the byte: %s",
      async ([, found], { skip }) => {
        const addForeign = need(rig.target.addForeign, skip);
        const bytes = Uint8Array.from(found);
        const topic = await rig.topic();
        const { log } = rig.ports;
        await ok(log.append(appendOf(topic, [record("before")])));
        await addForeign(topic, 0, bytes);
        await ok(log.append(appendOf(topic, [record("behind")], { firstSequence: 1 })));
        const [before, foreign, behind] = await contents(log, topic);
        expect([before?.payload, before?.problem]).toEqual(["before", null]);
        expect([behind?.payload, behind?.problem]).toEqual(["behind", null]);
        expect(foreign?.problem).toEqual(expect.stringMatching(/./));
        expect(foreign?.key).toBe("");
        expect(Number.isInteger(foreign?.timestampMs)).toBe(true);
        const parts = (JSON.parse(foreign?.payload ?? "") as readonly Part[]).map(bytesOf);
        expect(parts).toContainEqual(bytes);
      },
    );
  });
}

type Part = string | { readonly base64: string };

function bytesOf(part: Part): Uint8Array {
  return Uint8Array.from(typeof part === "string" ? Buffer.from(part) : Buffer.from(part.base64, "base64"));
}

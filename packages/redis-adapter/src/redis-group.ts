import type { Group } from "@millrace/core";
import { callScript } from "./call-script.ts";
import type { Connection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { integerOf } from "./reply.ts";
import { JOIN } from "./scripts/join.ts";

/** Consumer groups as one hash each. A repeated join takes a further generation, which is harmless. */
export function redisGroup(connection: Connection, keys: Keys): Group {
  return {
    join: (group, member) =>
      callScript(connection, () => ({
        script: JOIN,
        keys: [keys.group(group)],
        args: [member],
        what: `joining group ${group}`,
        rejections: ["WrongType"],
        read: ([, generation]) => ({ generation: integerOf(generation) }),
      })),
  };
}

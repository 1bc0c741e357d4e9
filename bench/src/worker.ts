/** A process of a benchmark, `worker.js <role> …`. Does what it is asked, one request at a time or several at once. */
import { openLoad } from "./cluster/load.ts";
import { openMember } from "./cluster/member.ts";
import { openHeap } from "./memory/heap-variants.ts";
import { openChain } from "./operators/chain-variants.ts";
import { openHandlers } from "./operators/handlers-variants.ts";
import { openSide } from "./side.ts";
import { openState } from "./state/state-variants.ts";
import { openTakeOver } from "./state/take-over-variants.ts";
import type { Message, Request, Role } from "./worker-process.ts";

/** Prepares a worker; what it returns does what is asked. */
type OpenRole = (
  args: readonly string[],
  emit: (event: unknown) => void,
) => Promise<(request: unknown) => Promise<unknown>>;

const roles: Readonly<Record<Role, OpenRole>> = {
  side: openSide,
  member: openMember,
  load: openLoad,
  chain: openChain,
  handlers: openHandlers,
  heap: openHeap,
  state: openState,
  "take-over": openTakeOver,
};

// Whoever started this process ends it by hanging up.
process.once("disconnect", () => process.exit());

function say(message: Message): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  say({ _tag: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

try {
  const [role = "", ...args] = process.argv.slice(2);
  const act = await roles[role as Role](args, (event) => say({ _tag: "event", event }));
  process.on("message", (message) => {
    const { id, request } = message as Request;
    act(request).then((answer) => say({ _tag: "answer", id, answer }), fail);
  });
  say({ _tag: "ready" });
} catch (error) {
  fail(error);
}

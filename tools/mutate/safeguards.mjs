// The safeguards of Millrace: what must not be taken out unnoticed.
import { access } from "./safeguards/access.mjs";
import { commits } from "./safeguards/commits.mjs";
import { group } from "./safeguards/group.mjs";
import { letters } from "./safeguards/letters.mjs";
import { log } from "./safeguards/log.mjs";
import { order } from "./safeguards/order.mjs";
import { state } from "./safeguards/state.mjs";
import { time } from "./safeguards/time.mjs";
import { units } from "./safeguards/units.mjs";
import { workers } from "./safeguards/workers.mjs";

/** @type {readonly import("./safeguard.mjs").Safeguard[]} */
export const safeguards = [
  ...commits,
  ...units,
  ...order,
  ...state,
  ...time,
  ...log,
  ...access,
  ...group,
  ...workers,
  ...letters,
];

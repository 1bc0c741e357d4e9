import { describePortsConformance } from "@millrace/testing/conformance";
import { slowAdapter } from "./support/slow-adapter.ts";

const skip = "nothing but the adapter itself can reach this store";
const hooks = { now: { skip }, corrupt: { skip }, deleteTopic: { skip }, trim: { skip }, addForeign: { skip } };
const dispose = async (): Promise<void> => {};
describePortsConformance({
  name: "somebody else's adapter",
  make: async () => ({ adapter: slowAdapter(), dispose, ...hooks, exhaust: { skip } }),
});
